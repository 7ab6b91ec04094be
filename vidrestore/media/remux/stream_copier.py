"""Everything of IN but the restored video: copied packet by packet, and converted where OUT's container has
no place for it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream

from ..probe import USUAL_RATE, describe, frame_rate, open_input
from ..timeline import Timeline
from .audio import SoundConverter
from .languages import three_letters
from .stream_plan import PICTURES, Action, StreamPlan, add_copy, can_list_keys, losses, plan_streams
from .subtitles import TextConverter
from .tags import kept_metadata, stream_metadata, timecode, uncommon_tags
from .timecode import later

log = logging.getLogger(__name__)

#: How long before a part subtitles are looked for that are still shown in it, in seconds.
_SHOWN = Fraction(30)


class _Carrier(Protocol):
    """Takes a stream's packets to OUT."""

    target: Stream

    def convert(self, packet: Packet) -> Iterable[Packet]: ...
    def finish(self) -> Iterable[Packet]: ...


class _Copy:
    """A stream of OUT that takes packets as they are."""

    def __init__(self, stream: Stream, container: OutputContainer) -> None:
        self.target = add_copy(stream, container)

    def convert(self, packet: Packet) -> Iterable[Packet]:
        packet.stream = self.target
        return (packet,)

    def finish(self) -> Iterable[Packet]:
        return ()


class StreamCopier:
    """Reads IN a second time, beside the decoder, so that packets are there when the muxer wants
    them however far the restored frames lag behind. Closed by its owner."""

    def __init__(self, path: Path, timeline: Timeline, *, muxer: str, main: int, called: str) -> None:
        """Open ``path``, whose stream ``main`` is restored, for a file by FFmpeg's ``muxer``. What it cannot
        hold is named in a warning, in which it is ``called`` so. Raises InputError."""
        self.source: InputContainer = open_input(path)
        self._path = path
        self._timeline = timeline
        self._muxer = muxer
        self._main = self.source.streams[main]
        #: What becomes of each stream.
        self.plans: list[StreamPlan] = plan_streams(self.source, muxer, main)
        for loss in losses(self.source, self.plans, muxer, called):
            log.warning("%s", loss)
        #: The streams of OUT, by number, that packets went to: FFmpeg leaves the others out of an MP4.
        self.carried: set[int] = set()
        self._carriers: dict[int, _Carrier] = {}
        self._packets: Iterator[Packet] | None = None
        self._waiting: Packet | None = None

    def close(self) -> None:
        """Release the file."""
        self.source.close()

    def add(self, stream: Stream, container: OutputContainer) -> None:
        """Give ``container`` a stream for ``stream``, where it can hold it."""
        plan = self.plans[stream.index]
        carrier: _Carrier
        if plan.action is Action.COPIED:
            carrier = _Copy(stream, container)
        elif plan.action is Action.CONVERTED:
            kind = TextConverter if stream.type == "subtitle" else SoundConverter
            carrier = kind(stream, container, plan.codec)
            log.info("%s of the input becomes %s", plan.stream, plan.codec)
        else:
            if plan.action is Action.ATTACHED:
                self._attach(stream, container)
            return
        encoded = plan.action is Action.CONVERTED
        carrier.target.metadata.update(stream_metadata(stream, self._muxer, encoded=encoded))
        carrier.target.disposition = stream.disposition
        self._carriers[stream.index] = carrier

    def metadata(self) -> dict[str, str]:
        """The input's metadata as a whole."""
        return kept_metadata(self.source.metadata)

    def main_metadata(self) -> dict[str, str]:
        """The metadata of the restored video, with the timecode of its first frame where there is one."""
        metadata = stream_metadata(self._main, self._muxer, encoded=True)
        if code := timecode(self.source, self._main):
            rate = frame_rate(self._main) or USUAL_RATE
            metadata["timecode"] = later(code, self._timeline.span.start, rate)
        return metadata

    def movflags(self) -> str:
        """What FFmpeg's muxer of MP4 must be told to hold the metadata, to be added to its ``movflags``."""
        uncommon = uncommon_tags(self.source.metadata, self._muxer)
        return "+use_metadata_tags" if uncommon and can_list_keys(self.source, self.plans) else ""

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
            self._packets = self._outgoing()
        while (packet := self._waiting or next(self._packets, None)) is not None:
            stamp = packet.dts if packet.dts is not None else packet.pts
            if time is not None and stamp is not None and stamp * packet.time_base > time:
                self._waiting = packet
                return
            self._waiting = None
            self.carried.add(packet.stream_index)
            yield packet

    def _outgoing(self) -> Iterator[Packet]:
        for packet in self._wanted():
            carrier = self._carriers[packet.stream_index]
            shift = self._timeline.shift(packet.time_base)
            if Disposition.attached_pic in carrier.target.disposition:
                packet.pts = packet.dts = -shift  # a picture has no time
            if packet.pts is not None:
                packet.pts += shift
            if packet.dts is not None:
                packet.dts += shift
            if carrier.target.type == "subtitle":
                self._clip(packet)
            yield from carrier.convert(packet)
        for carrier in self._carriers.values():
            yield from carrier.finish()

    def _clip(self, packet: Packet) -> None:
        """Show a subtitle within the part only."""
        span = self._timeline.span
        if span.whole or packet.pts is None:
            return
        end = packet.pts + packet.duration if packet.duration else None
        if span.start and packet.pts < 0:
            packet.pts = packet.dts = 0
        if end is not None:
            if span.end is not None:
                end = min(end, round((span.end - span.start) / packet.time_base))
            packet.duration = end - packet.pts

    def _wanted(self) -> Iterator[Packet]:
        streams = []
        for stream in self.source.streams:
            if stream.index in self._carriers and stream.type != "attachment":
                streams.append(stream)
            else:
                stream.discard = Discard.all
        if not streams:
            return
        if self._timeline.span.start:
            margin = _SHOWN if any(stream.type == "subtitle" for stream in streams) else 0
            begin = max(self._timeline.begin, self._timeline.start - margin)
            self.source.seek(int(begin * av.time_base))
        packets = self.source.demux(streams)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError, IndexError):
                # The decoder, reading the same file, says where it broke off. (At the end of a file where
                # streams turned up that its header did not name, PyAV may look for one it has not.)
                return
            if packet.size == 0 and packet.dts is None:
                continue  # PyAV's sign that a stream is at its end
            if packet.pts is None or self._timeline.overlaps(
                packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
            ):
                yield packet

    def _attach(self, stream: Stream, container: OutputContainer) -> None:
        """Attach a picture, which Matroska finds by the name of its file."""
        ending, kind = PICTURES[describe(stream).codec]
        name = stream.metadata.get("filename") or f"cover.{ending}"
        with open_input(self._path) as source:
            picture = next((p for p in source.demux(source.streams[stream.index]) if p.size), None)
            if picture is not None:
                container.add_attachment(name, kind, bytes(picture))


def track_languages(container: OutputContainer, carried: Iterable[int]) -> list[str | None]:
    """The languages of the tracks of a QuickTime file, in their order: one for each stream of ``carried``."""
    streams = [container.streams[index] for index in sorted(carried)]
    return [three_letters(stream.metadata.get("language")) for stream in streams]
