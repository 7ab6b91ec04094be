"""One continuous clock for the packets of MPEG transport and program streams.

Their clock has 33 bits, so that it wraps after 26.5 hours, and it is set anew wherever recordings are joined.
FFmpeg takes a clock that is set back for one that has wrapped. Here a wrap is told from a jump by its length,
and after a jump all streams continue together from where they were, so that video and sound stay in step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from av.container import InputContainer
from av.packet import Packet

#: FFmpeg's names of the formats.
_FORMATS = ("mpegts", "mpeg")
#: Ticks per second, and those after which the clock wraps (ISO/IEC 13818-1, 2.4.3.7).
_RATE, _WRAP = 90_000, 1 << 33
#: A clock that is behind by more than this was set back. One that is ahead by more has jumped: streams have a
#: timestamp at least every 0.7 s, but the signal of a recording may be lost for a while.
BEHIND, AHEAD = _RATE // 5, 60 * _RATE
#: For the other streams these are divided by this, so that all of them take part in a jump.
_NEARER = 4
#: No frame is shown so many ticks after it is decoded: its pts is wrong.
_REORDERED = 10 * _RATE
#: After how many ticks, or packets of all streams, it is decided whether the others have jumped as well.
_WAIT, _MAX_HELD = 2 * _RATE, 500
#: So many packets in a row show that a jump is not one packet's alone.
_MIN_PACKETS = 3


def has_clock(container: InputContainer) -> bool:
    """Whether the packets of an open file have such a clock."""
    return container.format.name in _FORMATS


def stamp_of(packet: Packet) -> int | None:
    """The packet's dts, else its pts."""
    return packet.dts if packet.dts is not None else packet.pts


def _near(stamp: int, place: int) -> int:
    """``stamp`` after as many wraps as bring it nearest to ``place``."""
    return stamp + round((place - stamp) / _WRAP) * _WRAP


@dataclass(slots=True)
class _Stream:
    offset: int = 0  #: ticks added to what FFmpeg reads
    begin: int = 0  #: of the last packet, in ticks
    end: int | None = None  #: where its next packet is expected, in ticks
    shown: int = 0  #: where what was read so far ends when it is shown

    def jump(self, stamp: int, *, nearer: int = 1) -> int:
        """How many ticks a packet is from its expected place, wraps apart; 0 if that is no jump. ``nearer``
        divides the distance from which on it is one."""
        if self.end is None:
            return 0
        place = _near(stamp + self.offset, self.end)
        if self.begin < place <= self.end:  # the header may state a frame rate that is too low
            return 0
        distance = place - self.end
        return 0 if -BEHIND <= distance * nearer <= AHEAD else distance


class Clock:
    """Moves the packets of a file behind jumps of its clock. To be used once, from where reading begins."""

    def __init__(self, container: InputContainer, main: int) -> None:
        """``main`` is the index of the video, in the open file ``container``, whose jumps are reported."""
        self.moved_from: Fraction | None = None  #: seconds from which on the video's times are not its own
        self._main = main
        self._is_program_stream = container.format.name == "mpeg"
        self._streams: dict[int, _Stream] = {}
        self._offsets = (0, 0)  #: of the part before the last jump, and of the one after it
        self._held: list[Packet] = []

    def __call__(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        """Yield ``packets``, of all video and audio streams in the file's order, with continuous times."""
        for packet in packets:
            if self._held:
                self._held.append(packet)
                if self._decidable():
                    yield from self._release()
            else:
                yield from self._take(packet)
        while self._held:
            yield from self._release()

    def _take(self, packet: Packet) -> Iterator[Packet]:
        stamp = stamp_of(packet)
        if packet.stream.type not in ("video", "audio"):
            yield self._moved(packet, self._offset_of_part(stamp))
            return
        stream = self._stream(packet)
        if stamp is not None and stream.jump(stamp):
            if not self._follows_others(stream, stamp):
                self._held.append(packet)
                return
            self._move(packet, stream, self._offsets[1])
        yield self._accept(packet, stream)

    def _stream(self, packet: Packet) -> _Stream:
        """The state of a packet's stream, which belongs to the present part if it is new."""
        return self._streams.setdefault(packet.stream_index, _Stream(self._offsets[1]))

    def _follows_others(self, stream: _Stream, stamp: int) -> bool:
        """Whether a stream that has jumped is where others jumped before."""
        place = self._place()
        return (
            stream.offset != self._offsets[1]
            and abs(_near(stamp + self._offsets[1], place) - place) <= _WAIT * 5
        )

    def _place(self) -> int:
        return max((stream.end for stream in self._streams.values() if stream.end is not None), default=0)

    def _offset_of_part(self, stamp: int | None) -> int:
        """The offset of a subtitle: that with which it is nearest to the other streams."""
        if stamp is None:
            return self._offsets[1]
        place = self._place()
        return min(reversed(self._offsets), key=lambda offset: abs(_near(stamp + offset, place) - place))

    def _move(self, packet: Packet, stream: _Stream, offset: int) -> None:
        """Let a stream continue with another offset."""
        if packet.stream_index == self._main and self.moved_from is None:
            stamp = packet.pts if packet.pts is not None else packet.dts
            assert stamp is not None
            self.moved_from = Fraction(_near(stamp + offset, self._place()), _RATE)
        stream.offset, stream.end = offset, None

    def _accept(self, packet: Packet, stream: _Stream) -> Packet:
        """The packet on the continuous clock; its stream is expected to go on behind it."""
        stamp = stamp_of(packet)
        if stamp is None:
            return packet
        place = self._place() if stream.end is None else stream.end
        if place:
            stream.offset += _near(stamp + stream.offset, place) - stamp - stream.offset
        packet = self._moved(packet, stream.offset)
        length, begin = packet.duration or 0, stamp + stream.offset
        stream.begin, stream.end = begin, begin + length
        stream.shown = max(stream.shown, (begin if packet.pts is None else packet.pts) + length)
        return packet

    def _moved(self, packet: Packet, offset: int) -> Packet:
        pts, dts = packet.pts, packet.dts
        if dts is not None and pts is not None:
            pts = _near(pts, dts)
            # The last frame before a jump in a program stream gets the pts of the first one behind it.
            if pts < dts - BEHIND or (self._is_program_stream and pts > dts + _REORDERED):
                pts = None
        packet.dts = None if dts is None else dts + offset
        packet.pts = None if pts is None else pts + offset
        return packet

    def _expected(self, packet: Packet, stream: _Stream) -> Packet:
        """A packet whose time alone is wrong, at the time at which the next one of its stream is expected."""
        assert stream.end is not None
        packet.dts = stream.end
        # FFmpeg's muxers need the pts of sound; that of a frame is found among those around it.
        packet.pts = stream.end if packet.stream.type == "audio" else None
        stream.end += packet.duration or 0
        return packet

    def _after_jump(self) -> dict[int, list[Packet]]:
        """Of each stream that jumps among the held packets, those from its jump on."""
        found: dict[int, list[Packet]] = {}
        index = self._held[0].stream_index
        for packet in self._held:
            stamp, stream = stamp_of(packet), self._streams.get(packet.stream_index)
            if stamp is None or stream is None:
                continue
            if packet.stream_index in found:
                found[packet.stream_index].append(packet)
            elif stream.jump(stamp, nearer=1 if packet.stream_index == index else _NEARER):
                found[packet.stream_index] = [packet]
        return found

    def _steady(self) -> set[int]:
        """The streams that go on among the held packets without a jump."""
        jumped = self._after_jump()
        counts: dict[int, int] = {}
        for packet in self._held:
            if packet.stream_index in self._streams and packet.stream_index not in jumped:
                counts[packet.stream_index] = counts.get(packet.stream_index, 0) + 1
        return {index for index, count in counts.items() if count >= _MIN_PACKETS}

    def _returns(self, packets: list[Packet]) -> bool:
        """Whether a stream comes back to where it was before it jumped."""
        stream = self._streams[packets[0].stream_index]
        stamps = [stamp for packet in packets if (stamp := stamp_of(packet)) is not None]
        far = abs(stream.jump(stamps[0])) // 2
        return any(abs(b - a) > far and not stream.jump(b) for a, b in pairwise(stamps))

    def _decidable(self) -> bool:
        jumped = self._after_jump()
        first = jumped[self._held[0].stream_index]
        place = self._place()
        active = {i for i, s in self._streams.items() if s.end is not None and s.end >= place - _WAIT}
        begin, now = stamp_of(first[0]), stamp_of(first[-1])
        assert begin is not None
        assert now is not None
        return (
            len(self._held) >= _MAX_HELD
            or self._returns(first)
            or abs(now - begin) >= _WAIT
            or (active <= jumped.keys() and len(first) >= _MIN_PACKETS)
        )

    def _release(self) -> Iterator[Packet]:
        """Decide about the jump of the first held packet, and yield what is then in its place."""
        held, jumped, steady = deque(self._held), self._after_jump(), self._steady()
        index = held[0].stream_index
        first = jumped[index]
        self._held = []
        if self._returns(first):
            yield self._expected(held.popleft(), self._streams[index])
        elif steady:
            stamp = stamp_of(first[0])
            assert stamp is not None
            # The others go on. A stream that is ahead has a gap; one that is behind is moved by itself.
            if self._streams[index].jump(stamp) < 0:
                self._move(first[0], self._streams[index], self._common_offset({index: first}))
            self._streams[index].end = None
        else:
            offset = self._common_offset(jumped)
            self._offsets = (self._offsets[1], offset)
            starts = {id(packets[0]): packets[0].stream_index for packets in jumped.values()}
            while held and starts:
                packet = held.popleft()
                if id(packet) in starts:
                    self._move(packet, self._streams[starts.pop(id(packet))], offset)
                yield self._accept(packet, self._stream(packet))
        while held:
            packet = held.popleft()
            if self._held:
                self._held.append(packet)
            else:
                yield from self._take(packet)

    def _common_offset(self, jumped: dict[int, list[Packet]]) -> int:
        """The smallest offset with which no stream in ``jumped`` begins again before it has ended."""
        offsets = []
        origin = stamp_of(next(iter(jumped.values()))[0]) or 0
        for index, packets in jumped.items():
            stream, stamp = self._streams[index], stamp_of(packets[0])
            assert stamp is not None
            assert stream.end is not None
            wraps = _near(stamp, origin) - stamp
            shown = [_near(packet.pts, stamp) for packet in packets if packet.pts is not None]
            offsets.append(max(stream.end - stamp, stream.shown - min(shown, default=stamp)) - wraps)
        return max(offsets)
