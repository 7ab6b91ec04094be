"""Frames in, packets out: one encoder, opened for a video like the input's."""

from __future__ import annotations

import io
from contextlib import suppress

import av
from av.codec.context import Flags
from av.packet import Packet
from av.video.stream import VideoStream

from ...errors import UsageError
from ..containers import Container
from ..frames.frame import Frame
from ..source_video import SourceVideo
from .choose import Encoder
from .hdr_parameters import set_hdr_metadata
from .pixel_conversion import Converter


class VideoEncoder:
    """An open encoder. Its packets count time in the input's ticks, from where OUT's timeline begins."""

    def __init__(self, encoder: Encoder, source: SourceVideo, container: Container) -> None:
        """Open ``encoder`` for the frames of ``source``, to be muxed into ``container``. Raises
        UsageError where it refuses."""
        self._size = source.width, source.height
        self._timeline = source.timeline
        self._convert = Converter(encoder)
        # What the muxer asks of an encoder, and what it is told of it, PyAV settles within a container.
        self._container = av.open(io.BytesIO(), "w", format=container.name)
        self.stream = self._add_stream(encoder, source, container)
        if source.display_matrix:
            self.stream.set_display_matrix(source.display_matrix)
        try:
            self.stream.codec_context.open()
            self._container.start_encoding()
        except av.error.FFmpegError as error:
            self.close()
            raise UsageError(
                f"{encoder} refuses {self._size[0]}x{self._size[1]} video ({error.strerror}); "
                "change --preset, --crf, --pix-fmt or -c:v"
            ) from None

    @property
    def extradata(self) -> bytes:
        """What a decoder must know before the first packet."""
        return self.stream.codec_context.extradata or b""

    def encode(self, frame: Frame) -> list[Packet]:
        """The packets that are ready with this frame."""
        video = self._convert(frame.video, frame.colour)
        video.pts += self._timeline.shift(video.time_base)
        # What kind of picture each becomes is the encoder's choice; the decoder's must not bind it.
        video.pict_type = 0
        return self.stream.encode(video)

    def flush(self) -> list[Packet]:
        """The packets that are left, after the last frame."""
        return self.stream.encode(None)

    def close(self) -> None:
        """Let go of it."""
        with suppress(OSError, av.error.FFmpegError):
            self._container.close()

    def _add_stream(self, encoder: Encoder, source: SourceVideo, container: Container) -> VideoStream:
        stream = self._container.add_stream(encoder.codec, rate=source.rate, options=dict(encoder.options))
        context = stream.codec_context
        if source.hdr:
            set_hdr_metadata(stream, source.hdr)
            context.framerate = source.rate
        stream.width, stream.height = self._size
        stream.pix_fmt = encoder.pix_fmt
        stream.time_base = context.time_base = source.time_base
        if aspect := source.sample_aspect_ratio:
            context.sample_aspect_ratio = aspect
        for tag, value in encoder.tags.items():
            setattr(context, tag, value)
        context.flags |= Flags.frame_duration
        if container.is_quicktime and context.codec.canonical_name == "hevc":
            context.codec_tag = "hvc1"  # FFmpeg's own choice, hev1, is not played by Apple's players
        if encoder.interlaced:
            context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        context.field_order = source.field_order
        return stream
