"""The colour tags of the output."""

from __future__ import annotations

import av

from ..containers import MP4, Container
from ..frames.colour import UNTAGGED_MATRICES
from ..frames.pixel_format import planar_equivalent, planar_format
from ..source_video import SourceVideo

_RGB = 0  # AVCOL_SPC_RGB
_LIMITED, _FULL = 1, 2  # AVColorRange
_UNSPECIFIED = 2  # AVCOL_PRI_UNSPECIFIED and its like
#: Codecs whose stream states its range, and those whose decoders take every stream for one of limited range,
#: whatever the container says: FFmpeg's canonical names. Of others the container alone tells the range.
_STATE_RANGE = frozenset({"h264", "hevc", "av1", "vp9", "mjpeg", "ljpeg", "amv", "dnxhd"})
_ALWAYS_LIMITED = frozenset({"prores", "mpeg1video", "mpeg2video", "vp8", "v210", "dvvideo", "magicyuv"})


def is_limited(source: SourceVideo, encoder: str, container: Container) -> bool:
    """Whether readers of OUT would take its YUV samples for ones of limited range, although those of
    ``source`` are of full range: neither the stream of ``encoder`` nor ``container`` can state that."""
    if not source.colour.full_range or planar_format(source.pix_fmt).is_rgb:
        return False
    codec = av.Codec(encoder, "w").canonical_name
    if codec in _STATE_RANGE or codec in _ALWAYS_LIMITED:
        return codec in _ALWAYS_LIMITED
    # QuickTime has no tag of the range, and FFmpeg writes MP4's only if three other tags say something.
    tags = source.tags.primaries, source.tags.transfer, source.tags.matrix
    return container.is_quicktime and (container is not MP4 or _UNSPECIFIED in tags)


def output_tags(source: SourceVideo, pix_fmt: str, *, limited: bool = False) -> dict[str, int]:
    """The tags of the input for output in ``pix_fmt``: FFmpeg's numbers by its names of the codec context's
    fields. A matrix that is not tagged becomes the one that faces are converted with. ``limited``: YUV
    samples are written in limited range."""
    given, target = planar_format(source.pix_fmt), planar_equivalent(pix_fmt)
    guessed = source.colour.matrix
    full_or_tagged = _LIMITED if limited else _FULL if source.colour.full_range else source.tags.range
    if target.is_rgb:
        matrix, colour_range = _RGB, source.tags.range if given.is_rgb else _FULL
    elif given.is_rgb:
        matrix, colour_range = guessed, _LIMITED
    elif target.has_chroma and given.has_chroma and source.tags.matrix in UNTAGGED_MATRICES:
        matrix, colour_range = guessed, full_or_tagged
    else:
        matrix, colour_range = source.tags.matrix, full_or_tagged
    tags = {
        "color_primaries": source.tags.primaries,
        "color_trc": source.tags.transfer,
        "colorspace": matrix,
        "color_range": colour_range,
    }
    if target.has_chroma and source.tags.chroma_location is not None:
        tags["chroma_sample_location"] = source.tags.chroma_location
    return tags
