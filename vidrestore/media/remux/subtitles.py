"""Text subtitles of one codec as those of another, by FFmpeg's own decoders and encoders."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.codec import Codec
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

#: What text becomes in each container.
_TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
#: Text that has styles and places, which the others have few words for.
_STYLED = ("ass", "ssa")
#: Text whose decoders need more than its packets: a clock, or a library.
_UNTOLD = ("eia_608", "dvb_teletext", "arib_caption")


def text_codec(stream: Stream, muxer: str) -> str | None:
    """The codec that a text subtitle becomes in such a container; None for what is no text."""
    context = stream.codec_context
    if stream.type != "subtitle" or context is None or context.codec.canonical_name in _UNTOLD:
        return None
    return _TEXT[muxer] if Codec(context.codec.name).text_sub else None


def is_styled(stream: Stream) -> bool:
    """Whether another text codec would lose its looks."""
    return stream.codec_context.codec.canonical_name in _STYLED


class TextConverter:
    """Gives a container a stream of text, and turns the packets of another into its."""

    def __init__(self, stream: Stream, container: OutputContainer, codec: str) -> None:
        self._decoder = stream.codec_context
        self._decoder.open(strict=False)
        self.target = container.add_stream(codec)
        self.target.time_base = stream.time_base
        self._encoder = self.target.codec_context
        self._encoder.time_base = stream.time_base
        self._encoder.subtitle_header = self._decoder.subtitle_header

    def convert(self, packet: Packet) -> Iterator[Packet]:
        """The same words at the same time; nothing for what is empty or cannot be read."""
        try:
            text = self._decoder.decode2(packet)
            if text is None or not len(text):
                return
            length = text.end_display_time
            text.start_display_time = 0  # encoders take no other
            converted = self._encoder.encode_subtitle(text)
        except av.error.FFmpegError:
            return
        converted.stream = self.target
        converted.time_base = packet.time_base
        converted.pts = converted.dts = packet.pts
        converted.duration = packet.duration or round(length / 1000 / packet.time_base)
        yield converted

    def finish(self) -> Iterator[Packet]:
        """Nothing is held back."""
        yield from ()
