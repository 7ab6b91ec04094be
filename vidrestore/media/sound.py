"""Sound that a container cannot hold, encoded anew without loss."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

#: The lossless codec that players of each container know. WebM has none.
_LOSSLESS = {"mp4": "flac", "mov": "alac", "matroska": "flac"}
#: Sample formats of 16 bits or less; of others 24 are kept.
_SHORT = ("u8", "u8p", "s16", "s16p")


def lossless_codec(stream: Stream, muxer: str) -> str | None:
    """The codec that sound becomes in such a container; None where it cannot be decoded or encoded."""
    codec = _LOSSLESS.get(muxer)
    if stream.type != "audio" or stream.codec_context is None or codec is None:
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
        context.layout = given.layout
        context.time_base = self.target.time_base = Fraction(1, given.sample_rate)

    def convert(self, packet: Packet) -> Iterator[Packet]:
        """The packets that are ready with this one; nothing for what cannot be read."""
        try:
            frames = self._source.decode(packet)
        except av.error.FFmpegError:
            return
        for frame in frames:
            yield from self.target.encode(frame)

    def finish(self) -> Iterator[Packet]:
        """What is left at the end."""
        try:
            frames = self._source.decode(None)
        except av.error.FFmpegError:
            frames = []
        for frame in frames:
            yield from self.target.encode(frame)
        yield from self.target.encode(None)
