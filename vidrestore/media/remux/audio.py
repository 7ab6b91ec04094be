"""Transcodes audio that a container cannot hold to a lossless codec."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction

import av
import av.error
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from ..containers import Container

#: Sample formats of at most 16 bits; others are kept in 24.
_SHORT = ("u8", "u8p", "s16", "s16p")
#: The layout assumed for a number of channels if the stream names none.
_LAYOUTS = {"1 channels": "mono", "2 channels": "stereo", "6 channels": "5.1", "8 channels": "7.1"}
#: The same for further numbers, for MP4, which holds no PCM without a layout. Elsewhere these stay unknown:
#: they often are microphones by themselves.
_FURTHER_LAYOUTS = {"3 channels": "2.1", "4 channels": "4.0", "5 channels": "5.0", "7 channels": "6.1"}
#: Gaps of more seconds than this are filled with silence: more than timestamps are rounded by.
_GAP = 0.1


def usual_layout(stream: AudioStream, *, required: bool = False) -> str:
    """A stream's channel layout. Old files only state a number of channels; then the one players assume, for
    some numbers only if one is ``required``."""
    name = stream.codec_context.layout.name
    return (_LAYOUTS | _FURTHER_LAYOUTS if required else _LAYOUTS).get(name, name)


def has_layout(stream: AudioStream) -> bool:
    """Whether a layout is known or can be assumed."""
    return not usual_layout(stream, required=True).endswith("channels")


def lossless_codec(stream: Stream, container: Container) -> str | None:
    """The codec that an audio stream is transcoded to in ``container``; None if it cannot be transcoded."""
    codec = container.lossless_audio
    if not isinstance(stream, AudioStream) or stream.codec_context is None or codec is None:
        return None
    if not stream.codec_context.sample_rate:  # a damaged header
        return None
    try:
        with av.open(io.BytesIO(), "w", format=container.name) as trial:
            stream.codec_context.open(strict=False)
            AudioTranscoder(stream, trial, codec)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return None
    return codec


class AudioTranscoder:
    """Adds a lossless audio stream to an output, and transcodes the packets of another stream for it."""

    def __init__(self, stream: AudioStream, output: OutputContainer, codec: str) -> None:
        source = stream.codec_context
        self._source = stream
        target = output.add_stream(codec, rate=source.sample_rate)
        assert isinstance(target, AudioStream)
        self.target = target
        context = target.codec_context
        depth = "s16" if source.format is None or source.format.name in _SHORT else "s32"
        offered = {offer.name for offer in context.codec.audio_formats or ()}
        context.format = next(name for name in (depth, f"{depth}p") if name in offered)
        context.layout = usual_layout(stream)
        context.time_base = self.target.time_base = Fraction(1, source.sample_rate)
        self._resampler = self._new_resampler()
        self._form: tuple[str, str, int] | None = None  #: of the last frame
        self.damaged = 0  #: packets that could not be decoded, so far
        self.has_changed = False  #: its channels or sample rate changed, so far
        self._buffer = AudioFifo()
        self._next: int | None = None  #: timestamp of the first buffered sample, in samples

    def convert(self, packet: Packet) -> Iterator[Packet]:
        """The packets that are complete after this one; a packet that cannot be decoded is skipped."""
        try:
            for frame in self._source.decode(packet):
                yield from self._encode(frame)
        except av.error.FFmpegError:
            # A recording may begin within a frame.
            self.damaged += self._form is not None

    def finish(self) -> Iterator[Packet]:
        """The remaining packets."""
        with suppress(av.error.FFmpegError):
            for frame in self._source.decode(None):
                yield from self._encode(frame)
        if (rest := self._buffer.read(partial=True)) is not None:
            yield from self._packets(rest)
        yield from self._packets(None)

    def _encode(self, frame: AudioFrame) -> Iterator[Packet]:
        rate = self.target.codec_context.sample_rate
        if frame.pts is not None and frame.time_base is not None:
            time = round(frame.pts * frame.time_base * rate)
            if self._next is None:
                self._next = time
            missing = time - self._next - self._buffer.samples
            while missing > _GAP * rate:  # what follows must keep its time
                silence = min(missing, rate)
                yield from self._append(self._silence(silence))
                missing -= silence
        form = frame.format.name, frame.layout.name, frame.sample_rate
        if self._form not in (None, form):  # a resampler takes frames of one form
            self.has_changed = True
            for resampled in self._resampler.resample(None):
                yield from self._append(resampled)
            self._resampler = self._new_resampler()
        self._form = form
        for resampled in self._resampler.resample(frame):
            yield from self._append(resampled)

    def _new_resampler(self) -> AudioResampler:
        context = self.target.codec_context
        return AudioResampler(context.format, context.layout, context.sample_rate)

    def _append(self, frame: AudioFrame) -> Iterator[Packet]:
        # Timestamps are counted in samples instead. A frame that needed no resampling has its packet's base.
        frame.pts, frame.time_base = None, Fraction(1, frame.sample_rate)
        self._buffer.write(frame)
        context = self.target.codec_context
        context.open(strict=False)
        while self._buffer.samples >= context.frame_size:
            yield from self._packets(self._buffer.read(context.frame_size))

    def _packets(self, frame: AudioFrame | None) -> Iterator[Packet]:
        if frame is not None:
            frame.pts, frame.time_base = self._next or 0, self.target.codec_context.time_base
            self._next = frame.pts + frame.samples
        # The last packet of some encoders is empty: it only updates the header.
        yield from (packet for packet in self.target.encode(frame) if packet.size)

    def _silence(self, samples: int) -> AudioFrame:
        context = self.target.codec_context
        assert context.format is not None
        frame = AudioFrame(context.format.name, context.layout.name, samples)
        frame.sample_rate = context.sample_rate
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        return frame
