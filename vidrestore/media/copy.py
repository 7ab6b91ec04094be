"""Everything of IN but the restored video: copied packet by packet, never decoded."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from .probe import describe, open_input
from .timeline import Timeline

log = logging.getLogger(__name__)

#: What a container or an encoder says of itself in its metadata: untrue of the new file.
_STALE = {"encoder", "major_brand", "minor_version", "compatible_brands", "vendor_id", "duration"}
#: Statistics that some muxers leave in a stream's tags, which a new encode makes untrue.
_STATISTICS = ("BPS", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "_STATISTICS_")
#: QuickTime numbers its languages; FFmpeg finds the number by one spelling only, and drops the others.
_QUICKTIME_CODES = {
    "deu": "ger",
    "nld": "dut",
    "ell": "gre",
    "isl": "ice",
    "zho": "chi",
    "sqi": "alb",
    "swe": "sve",
    "fre": "fra",
    "rum": "ron",
    "cze": "ces",
    "slo": "slk",
}


class StreamCopier:
    """Reads IN a second time, beside the decoder, so that packets are there when the muxer wants
    them however far the restored frames lag behind. Closed by its owner."""

    def __init__(self, path: Path, timeline: Timeline) -> None:
        """Open ``path``. Raises InputError."""
        self.source: InputContainer = open_input(path)
        self._timeline = timeline
        self._targets: dict[int, Stream] = {}
        self._packets: Iterator[Packet] | None = None
        self._waiting: Packet | None = None

    def close(self) -> None:
        """Release the file."""
        self.source.close()

    def add(self, stream: Stream, container: OutputContainer, name: str) -> None:
        """Give ``container`` a stream like ``stream``; one that it cannot hold is named in a warning."""
        if not _accepts(container.format.name, stream):
            if not _is_chapter_text(stream, self.source):
                hint = "" if container.format.name == "matroska" else "; .mkv keeps the most"
                log.warning("%s cannot hold the input's %s: it is left out%s", name, describe(stream), hint)
            return
        target = container.add_stream_from_template(stream, opaque=True)
        target.metadata.update(kept_metadata(stream.metadata))
        if container.format.name == "mov" and (code := _QUICKTIME_CODES.get(stream.metadata.get("language"))):
            target.metadata["language"] = code
        target.disposition = stream.disposition
        self._targets[stream.index] = target

    @classmethod
    def refused(cls, path: Path, muxer: str, main: int) -> list[str]:
        """The streams of ``path`` besides ``main`` that such a container cannot hold, described."""
        with open_input(path) as source:
            others = [stream for stream in source.streams if stream.index != main]
            return [
                str(describe(s)) for s in others if not _accepts(muxer, s) and not _is_chapter_text(s, source)
            ]

    def chapters(self) -> list[dict]:
        """The input's chapters, cut to the span."""
        span = self._timeline.span
        if span.whole:
            return self.source.chapters()
        chapters = []
        for chapter in self.source.chapters():
            base = chapter["time_base"]
            start = max(span.start, chapter["start"] * base)
            end = min(chapter["end"] * base, span.end if span.end is not None else chapter["end"] * base)
            if start < end:
                cut = {name: round((t - span.start) / base) for name, t in (("start", start), ("end", end))}
                chapters.append(chapter | cut)
        return chapters

    def until(self, time: Fraction | None) -> Iterator[Packet]:
        """Packets up to a time in seconds on the output's timeline, or all that are left, each with its
        output stream and timestamps."""
        if self._packets is None:
            self._packets = self._wanted()
        while (packet := self._waiting or next(self._packets, None)) is not None:
            shift = self._timeline.shift(packet.time_base)
            stamp = packet.dts if packet.dts is not None else packet.pts
            if time is not None and stamp is not None and (stamp - shift) * packet.time_base > time:
                self._waiting = packet
                return
            self._waiting = None
            if packet.pts is not None:
                packet.pts -= shift
            if packet.dts is not None:
                packet.dts -= shift
            packet.stream = self._targets[packet.stream_index]
            yield packet

    def _wanted(self) -> Iterator[Packet]:
        streams = []
        for stream in self.source.streams:
            if stream.index in self._targets and stream.type != "attachment":
                streams.append(stream)
            else:
                stream.discard = Discard.all
        if not streams:
            return
        if self._timeline.span.start:
            self.source.seek(int(self._timeline.start * av.time_base))
        packets = self.source.demux(streams)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):
                return  # the decoder, reading the same file, says where it broke off
            if packet.size == 0 and packet.dts is None:
                continue  # PyAV's sign that a stream is at its end
            if packet.pts is None or self._timeline.overlaps(
                packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
            ):
                yield packet


def kept_metadata(metadata: dict[str, str], *, encoded: bool = False) -> dict[str, str]:
    """Metadata without what is no longer true; with ``encoded``, of a stream that was encoded anew."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower() not in _STALE and not (encoded and key.upper().startswith(_STATISTICS))
    }


def _accepts(muxer: str, stream: Stream) -> bool:
    """Whether a file of this kind can hold such a stream: one with nothing else in it is tried."""
    try:
        with av.open(io.BytesIO(), "w", format=muxer) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _is_chapter_text(stream: Stream, source: InputContainer) -> bool:
    """QuickTime keeps chapter titles as a text track, which the muxer makes anew from the chapters."""
    return stream.type == "data" and bool(source.chapters()) and "mov" in source.format.name
