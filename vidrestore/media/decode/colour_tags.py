"""The colour tags of a video: the stream's own, and its container's where the stream is silent."""

from __future__ import annotations

from dataclasses import replace

import av
from av.video.codeccontext import VideoCodecContext

from ..frames.code_points import colour_names
from ..frames.colour import SILENT, UNTAGGED_MATRICES, Colour, ColourTags, guessed_matrix, has_conversion

#: Codecs whose chroma samples are centred between their luma samples unless tagged otherwise.
_CENTRED_CHROMA = {"mjpeg", "mpeg1video", "jpeg2000", "webp"}
_CENTRE = 2  # AVCHROMA_LOC_CENTER


class StreamTags:
    """The tags of each frame of a video stream."""

    def __init__(self, context: VideoCodecContext) -> None:
        """``context`` is that of the stream before its first frame is decoded, which has the tags of the
        container; decoding replaces them by those of the stream."""
        self._codec = context.codec.canonical_name
        self._pix_fmt = context.pix_fmt or ""
        self._container = ColourTags(
            primaries=int(context.color_primaries),
            transfer=int(context.color_trc),
            matrix=int(context.colorspace),
            range=int(context.color_range),
        )

    def of(self, video: av.VideoFrame) -> ColourTags:
        """The tags of a frame: each is the container's where the stream says nothing."""
        tags = ColourTags.of(video)
        missing = {name for name, silent in SILENT.items() if getattr(tags, name) == silent}
        if video.format.is_rgb:
            missing.discard("matrix")
        return replace(tags, **{name: getattr(self._container, name) for name in missing})

    def colour(self, video: av.VideoFrame) -> Colour:
        """How the samples of a frame are converted to R'G'B'."""
        tags = self.of(video)
        if not tags.chroma_location and self._codec in _CENTRED_CHROMA:
            tags = replace(tags, chroma_location=_CENTRE)
        return Colour.from_tags(tags, video.width, video.height, self._pix_fmt)

    def remarks(self, video: av.VideoFrame) -> list[str]:
        """What there is to say about the tags of a frame: conflicts between container and stream, and a
        matrix without a conversion."""
        own, remarks = ColourTags.of(video), []
        is_yuv = not video.format.is_rgb and len(video.format.components) > 2
        for name in self._container.contradictions(own):
            if name == "matrix" and not is_yuv:
                continue  # there is none, whatever tag decoding gave the frame
            outer, inner = (_name(name, getattr(tags, name)) for tags in (self._container, own))
            remarks.append(
                f"the container says that the {name} is {outer}, the video {inner}; the video is believed"
            )
        matrix = self.of(video).matrix
        if is_yuv and matrix not in UNTAGGED_MATRICES and not has_conversion(matrix):
            used = _name("matrix", guessed_matrix(video.width, video.height))
            remarks.append(
                f"the matrix {_name('matrix', matrix)} has no conversion here: faces are converted by "
                f"{used}, and the tag is kept"
            )
        return remarks


def _name(tag: str, number: int) -> str:
    """What users know the number of a tag as."""
    numbers = {**SILENT, tag: number}
    numbers["colour_range"] = numbers.pop("range")
    return colour_names(**numbers)[tag] or f"number {number}"
