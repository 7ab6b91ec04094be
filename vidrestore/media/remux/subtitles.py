"""Transcodes text subtitles with FFmpeg's own decoders and encoders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

import av
import av.error
from av.codec import Codec
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle

from ..containers import Container
from ..timeline import Span

#: Text with styles and positions, most of which other codecs cannot express.
_STYLED = ("ass", "ssa")
#: What decoded text, which is always ASS, may say besides bold, italic, underlined and struck out: colours,
#: fonts, sizes and positions. FFmpeg writes none of it in ``mov_text`` and WebVTT.
_STYLE = re.compile(rb"\{[^}]*\\(?:[1-4]?c&|fn|fs\d|an?\d|pos|move|org|fr|clip)")
#: What decoding drops of WebVTT: classes such as colours, the names of speakers, ruby.
_WEBVTT_STYLE = re.compile(rb"<(?:c\.|v[ .]|lang|ruby)")
#: Text whose decoders need more than its packets: a clock, or a library.
_NOT_DECODABLE = ("eia_608", "dvb_teletext", "arib_caption")


def text_codec(stream: Stream, container: Container) -> str | None:
    """The codec that a text subtitle is transcoded to in ``container``; None if ``stream`` is not text."""
    context = stream.codec_context
    if stream.type != "subtitle" or context is None or context.codec.canonical_name in _NOT_DECODABLE:
        return None
    return container.text_subtitles if Codec(context.codec.name).text_sub else None


def is_styled(stream: Stream) -> bool:
    """Whether a subtitle has styles that another text codec would lose."""
    return stream.codec_context.codec.canonical_name in _STYLED


def clip_to(span: Span, packet: Packet) -> None:
    """Limit the time a subtitle on the timeline of OUT is shown to ``span``."""
    if span.whole or packet.pts is None:
        return
    end = packet.pts + packet.duration if packet.duration else None
    if span.start and packet.pts < 0:
        packet.pts = packet.dts = 0
    if end is not None:
        if span.end is not None:
            end = min(end, round((span.end - span.start) / packet.time_base))
        packet.duration = end - packet.pts


class SubtitleTranscoder:
    """Adds a text subtitle stream to an output, and converts the packets of another stream for it."""

    def __init__(self, stream: Stream, output: OutputContainer, codec: str) -> None:
        target = output.add_stream(codec)
        assert isinstance(target, SubtitleStream)
        assert isinstance(stream.codec_context, SubtitleCodecContext)
        assert stream.time_base is not None
        self.target = target
        self.damaged = 0  #: packets that could not be read, so far
        self.lost_styles = False  #: a text had colours, fonts or a position, so far
        self._decoder, self._encoder = stream.codec_context, target.codec_context
        self._decoder.open(strict=False)
        # Fine, since FFmpeg's MP4 muxer compares this track's ticks with those of others when it ends a text:
        # in milliseconds, it does so too late, and a text that overlaps it is shown seconds late.
        self.target.time_base = self._encoder.time_base = Fraction(1, 1_000_000)
        self._encoder.subtitle_header = self._decoder.subtitle_header

    def convert(self, packet: Packet) -> Iterator[Packet]:
        """The same text at the same time; nothing for a packet that is empty or cannot be read."""
        try:
            text = self._decoder.decode2(packet)
            if text is None or not len(text):
                return
            length = text.end_display_time
            if self._encoder.name != "subrip":
                parts = (part.ass for part in text if isinstance(part, AssSubtitle))
                self.lost_styles |= any(_STYLE.search(part) for part in parts)
                self.lost_styles |= packet.has_sidedata("webvtt_settings")  # the position
                self.lost_styles |= bool(_WEBVTT_STYLE.search(bytes(packet)))
            text.start_display_time = 0  # encoders accept no other
            converted = self._encoder.encode_subtitle(text)
        except av.error.FFmpegError:
            self.damaged += 1
            return
        converted.stream = self.target
        converted.time_base = packet.time_base
        converted.pts = converted.dts = packet.pts
        converted.duration = packet.duration or round(length / 1000 / packet.time_base)
        yield converted

    def finish(self) -> Iterator[Packet]:
        """No packets: none are buffered."""
        yield from ()
