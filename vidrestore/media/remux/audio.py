"""Sound that a container cannot hold, encoded anew without loss."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction

import av
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

#: The lossless codec that players of each container know. WebM has none.
_LOSSLESS = {"mp4": "flac", "mov": "alac", "matroska": "flac"}
#: Sample formats of 16 bits or less; of others 24 are kept.
_SHORT = ("u8", "u8p", "s16", "s16p")
#: What is meant by a number of channels where nothing else is said.
_LAYOUTS = {"1 channels": "mono", "2 channels": "stereo", "6 channels": "5.1", "8 channels": "7.1"}
#: Seconds without sound that are filled with silence: more than what times are rounded to.
_GAP = 0.1


def usual_layout(stream: AudioStream) -> str:
    """The places of a stream's channels; where old files tell their number alone, those that players take."""
    name = stream.codec_context.layout.name
    return _LAYOUTS.get(name, name)


def lossless_codec(stream: Stream, muxer: str) -> str | None:
    """The codec that sound becomes in such a container; None where it cannot be decoded or encoded."""
    codec = _LOSSLESS.get(muxer)
    if stream.type != "audio" or stream.codec_context is None or codec is None:
        return None
    if not stream.codec_context.sample_rate:  # as damage leaves it
        return None
    try:
        with av.open(io.BytesIO(), "w", format=muxer) as trial:
            stream.codec_context.open(strict=False)
            SoundConverter(stream, trial, codec)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return None
    return codec


class SoundConverter:
    """Gives a container a stream of lossless sound, and turns the packets of another into its."""

    def __init__(self, stream: Stream, container: OutputContainer, codec: str) -> None:
        given = stream.codec_context
        self._source = stream
        self.target = container.add_stream(codec, rate=given.sample_rate)
        context = self.target.codec_context
        depth = "s16" if given.format is None or given.format.name in _SHORT else "s32"
        offered = {form.name for form in context.codec.audio_formats}
        context.format = next(name for name in (depth, f"{depth}p") if name in offered)
        context.layout = usual_layout(stream)
        context.time_base = self.target.time_base = Fraction(1, given.sample_rate)
        self._resampler = AudioResampler(context.format, context.layout, given.sample_rate)
        self._waiting = AudioFifo()
        self._next: int | None = None  #: the time of the first sample that waits, in samples

    def convert(self, packet: Packet) -> Iterator[Packet]:
        """The packets that are ready with this one; nothing for what cannot be read."""
        with suppress(av.error.FFmpegError):
            for frame in self._source.decode(packet):
                yield from self._encode(frame)

    def finish(self) -> Iterator[Packet]:
        """What is left at the end."""
        with suppress(av.error.FFmpegError):
            for frame in self._source.decode(None):
                yield from self._encode(frame)
        if (rest := self._waiting.read(partial=True)) is not None:
            yield from self._packets(rest)
        yield from self._packets(None)

    def _encode(self, frame: AudioFrame) -> Iterator[Packet]:
        rate = self.target.codec_context.sample_rate
        if frame.pts is not None:
            time = round(frame.pts * frame.time_base * rate)
            if self._next is None:
                self._next = time
            missing = time - self._next - self._waiting.samples
            while missing > _GAP * rate:  # what follows must keep its time
                silence = min(missing, rate)
                yield from self._append(self._silence(silence))
                missing -= silence
        for resampled in self._resampler.resample(frame):
            yield from self._append(resampled)

    def _append(self, frame: AudioFrame) -> Iterator[Packet]:
        frame.pts = None  # samples are counted
        self._waiting.write(frame)
        context = self.target.codec_context
        context.open(strict=False)
        while self._waiting.samples >= context.frame_size:
            yield from self._packets(self._waiting.read(context.frame_size))

    def _packets(self, frame: AudioFrame | None) -> Iterator[Packet]:
        if frame is not None:
            frame.pts, frame.time_base = self._next or 0, self.target.codec_context.time_base
            self._next = frame.pts + frame.samples
        # The last packet of some encoders is empty: what is to be put into the header.
        yield from (packet for packet in self.target.encode(frame) if packet.size)

    def _silence(self, samples: int) -> AudioFrame:
        context = self.target.codec_context
        frame = AudioFrame(context.format.name, context.layout.name, samples)
        frame.sample_rate = context.sample_rate
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        return frame
