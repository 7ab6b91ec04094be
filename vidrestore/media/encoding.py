"""Frames in, packets out: one encoder, opened for a video like the input's."""

from __future__ import annotations

import io
import struct
from contextlib import suppress

import av
from av.codec.context import Flags
from av.packet import Packet
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from ..errors import UsageError
from .decode import Decoder, Frame
from .encode import Encoder
from .probe import USUAL_RATE, frame_rate


class VideoEncoder:
    """An open encoder. Its packets count time in the input's ticks, from where OUT's timeline begins."""

    def __init__(self, encoder: Encoder, decoder: Decoder, muxer: str) -> None:
        """Open ``encoder`` for the frames of ``decoder``, to be muxed by FFmpeg's ``muxer``. Raises
        UsageError where it refuses."""
        self._given = decoder.stream.codec_context
        self._pix_fmt = encoder.pix_fmt
        self._timeline = decoder.timeline
        self._reformatter = VideoReformatter()
        # What the muxer asks of an encoder, and what it is told of it, PyAV settles within a container.
        self._container = av.open(io.BytesIO(), "w", format=muxer)
        self.stream = self._add_stream(encoder, decoder.stream)
        if matrix := decoder.first.video.side_data.get("DISPLAYMATRIX"):
            self.stream.set_display_matrix(struct.unpack("=9i", bytes(matrix)))
        try:
            self.stream.codec_context.open()
            self._container.start_encoding()
        except av.error.FFmpegError as error:
            self.close()
            raise UsageError(
                f"{encoder} refuses {self._given.width}x{self._given.height} video ({error.strerror}); "
                "change --preset, --crf, --pix-fmt or -c:v"
            ) from None

    @property
    def extradata(self) -> bytes:
        """What a decoder must know before the first packet."""
        return self.stream.codec_context.extradata or b""

    def encode(self, frame: Frame) -> list[Packet]:
        """The packets that are ready with this frame."""
        video = frame.video
        if (video.format.name, video.width, video.height) != (
            self._pix_fmt,
            self._given.width,
            self._given.height,
        ):
            # The range stays as it is: only packing, subsampling or depth change.
            pts, time_base = video.pts, video.time_base
            video = self._reformatter.reformat(
                video,
                self._given.width,
                self._given.height,
                self._pix_fmt,
                src_color_range=video.color_range,
                dst_color_range=video.color_range,
            )
            video.pts, video.time_base = pts, time_base
        video.pts -= self._timeline.shift(video.time_base)
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

    def _add_stream(self, encoder: Encoder, source: VideoStream) -> VideoStream:
        rate = frame_rate(source) or USUAL_RATE
        stream = self._container.add_stream(encoder.codec, rate=rate, options=dict(encoder.options))
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = self._given.width, self._given.height, self._pix_fmt
        stream.time_base = context.time_base = source.time_base
        if aspect := source.sample_aspect_ratio:
            context.sample_aspect_ratio = aspect
        for tag in ("color_range", "colorspace", "color_primaries", "color_trc"):
            setattr(context, tag, getattr(self._given, tag))
        context.flags |= Flags.frame_duration
        return stream
