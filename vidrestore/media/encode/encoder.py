"""Frames in, packets out: an encoder, opened for a video like the input's."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import cast

import av
from av.codec.context import Flags
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from ...errors import UsageError
from ..containers import Container
from ..frames.frame import Frame
from ..source_video import SourceVideo
from .frame_numbers import FrameNumbers
from .pixel_conversion import PixelConverter
from .settings import EncoderConfig
from .stream_parameters import set_parameters


class VideoEncoder:
    """An open encoder. Its packets have the input's time base, and timestamps on the timeline of OUT."""

    def __init__(self, config: EncoderConfig, source: SourceVideo, container: Container) -> None:
        """Open the encoder for the frames of ``source``, to be muxed into ``container``. Raises UsageError if
        the encoder rejects them."""
        self._timeline = source.timeline
        self._convert = PixelConverter(config)
        self._numbers: FrameNumbers | None = None
        #: Durations of the frames whose packets are still to come, by their timestamps. Most encoders do not
        #: pass them on, and without them the last frame of an MP4 may be shown for too short a time.
        self._durations: dict[int, int] = {}
        self._last_duration = 0  #: of the last frame; 0 if unknown
        try:
            self._open(config, source, container)
        except FFmpegError as error:
            self._numbers = FrameNumbers(source.rate, source.time_base)
            try:
                self._open(config, source, container)
            except FFmpegError:
                raise UsageError(
                    f"{config} rejects {source.width}x{source.height} video with {float(source.rate):g} "
                    f"frames per second ({error.strerror}); change --preset, --crf, --pix-fmt or -c:v"
                ) from None

    @property
    def extradata(self) -> bytes:
        """The codec's global headers, which a decoder needs before the first packet."""
        return self.stream.codec_context.extradata or b""

    def encode(self, frame: Frame) -> list[Packet]:
        """Encode a frame, whose ``pts`` this may change. Returns the packets that are ready, often none."""
        video = self._convert(frame.video, frame.colour)
        assert video.pts is not None
        assert video.time_base is not None
        video.pts += self._timeline.shift(video.time_base)
        # Let the encoder choose each frame's type, which is still the decoder's.
        video.pict_type = 0
        self._last_duration = video.duration
        if video.duration:
            self._durations[video.pts] = video.duration
        if self._numbers is not None:
            self._numbers.number(video)
        return self._timed(self.stream.encode(video))

    def flush(self) -> list[Packet]:
        """The remaining packets, after the last frame."""
        packets = self._timed(self.stream.encode(None))
        if packets and self._last_duration:
            # An MP4 ends with its last packet in coding order, which need not be that of the last frame.
            packets[-1].duration = self._last_duration
        return packets

    def _timed(self, packets: list[Packet]) -> list[Packet]:
        """The encoder's next packets, with the timestamps and durations of their frames."""
        if self._numbers is not None:
            packets = self._numbers.restore(packets)
        for packet in packets:
            assert packet.pts is not None, "encoders give every packet its pts"
            if duration := self._durations.pop(packet.pts, 0):
                packet.duration = duration
        return packets

    def close(self) -> None:
        """Free the encoder."""
        with suppress(OSError, FFmpegError):
            self._container.close()

    def _open(self, config: EncoderConfig, source: SourceVideo, container: Container) -> None:
        """Open the encoder. Raises FFmpegError if it rejects the video."""
        # PyAV negotiates codec flags only inside a container, so open one that is thrown away.
        self._container = av.open(io.BytesIO(), "w", format=container.name)
        self.stream = self._add_stream(config, source, container)
        if source.display_matrix:
            self.stream.set_display_matrix(source.display_matrix)
        try:
            self.stream.codec_context.open()
            self._container.start_encoding()
        except FFmpegError:
            self.close()
            raise

    def _add_stream(self, config: EncoderConfig, source: SourceVideo, container: Container) -> VideoStream:
        stream = cast(
            VideoStream,
            self._container.add_stream(config.codec, rate=source.rate, options=dict(config.options)),
        )
        context = stream.codec_context
        presentation = source.presentation.held_by(container)
        set_parameters(stream, source.hdr, presentation, (source.width, source.height))
        context.framerate = source.rate
        stream.width, stream.height = source.width, source.height
        stream.pix_fmt = config.pix_fmt
        stream.time_base = source.time_base
        context.time_base = self._numbers.time_base if self._numbers else source.time_base
        if aspect := source.sample_aspect_ratio:
            context.sample_aspect_ratio = aspect
        for tag, value in config.tags.items():
            setattr(context, tag, value)
        context.flags |= Flags.frame_duration
        if container.is_quicktime and context.codec.canonical_name == "hevc":
            context.codec_tag = "hvc1"  # Apple's players do not play FFmpeg's default, hev1
        if config.interlaced:
            context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        context.field_order = source.field_order
        return stream
