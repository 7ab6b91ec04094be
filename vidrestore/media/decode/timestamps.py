"""Timestamps that increase, for frames and packets that come without one, with one twice, or out of order."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.packet import Packet

#: Frames without a time of their own that wait for one that has: more are given the usual distance.
_PATIENCE = 16
#: As many frames in a row whose times lie far back mean that the clock was set back.
_SET_BACK = 3
#: Seconds by which a packet's clock must be set back to be taken for that.
_JUMP = 1


class Timestamps:
    """Gives every frame a timestamp, each later than the one before; their own wherever they can be kept."""

    def __init__(self, rate: Fraction, *, decoding: bool = False) -> None:
        """``rate`` in frames per second is what frames lie apart where nothing else tells. With ``decoding``
        the times of decoding are the better ones."""
        self._decoding = decoding
        self.repaired = 0  #: frames that did not keep what they came with
        self._rate = rate
        self._last: int | None = None
        self._waiting: list[av.VideoFrame] = []
        self._behind = 0
        #: What is added to timestamps since the clock was set back, as where recordings are joined.
        self._offset = 0

    def __call__(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The frames as they come, with ``pts`` set."""
        for frame in frames:
            stamp = self._own(frame)
            if stamp is not None:
                yield from self._release(stamp)
                yield self._give(frame, stamp)
                continue
            if len(self._waiting) == _PATIENCE:
                yield from self._release(None)
            self._waiting.append(frame)
        yield from self._release(None)

    def _own(self, frame: av.VideoFrame) -> int | None:
        """The frame's own timestamp; None where it has none, or one that has passed."""
        usual = self._step(frame)
        for stamp in (frame.dts,) if self._decoding else (frame.pts, frame.dts):
            if stamp is None:
                continue
            stamp += self._offset
            if self._last is None or stamp > self._last:
                self._behind = 0
                return stamp
            if self._last - stamp > _PATIENCE * usual:
                self._behind += 1
                if self._behind < _SET_BACK:
                    return None
                now = self._last + (len(self._waiting) + 1) * usual
                self._offset += now - stamp
                self._behind = 0
                return now
        return None

    def _release(self, end: int | None) -> Iterator[av.VideoFrame]:
        """The frames that wait, spread evenly from the last timestamp to ``end``."""
        count = len(self._waiting)
        for number, frame in enumerate(self._waiting):
            usual = self._step(frame)
            if self._last is None:
                stamp = 0 if end is None else end - count * usual
                if end is not None and stamp < 0 <= end - count:
                    stamp = 0
            elif end is None:
                stamp = self._last + usual
            else:
                stamp = self._last + (end - self._last) // (count - number + 1)
            yield self._give(frame, stamp)
        self._waiting.clear()

    def _step(self, frame: av.VideoFrame) -> int:
        return max(1, round(1 / (self._rate * frame.time_base)))

    def _give(self, frame: av.VideoFrame, stamp: int) -> av.VideoFrame:
        # Where the clock's ticks are too few, later frames move on.
        stamp = stamp if self._last is None else max(stamp, self._last + 1)
        self.repaired += frame.pts != stamp
        frame.pts = self._last = stamp
        return frame


class PacketTimes:
    """Keeps the packets of one copied stream in an order that a muxer takes, where theirs is none."""

    def __init__(self) -> None:
        self._end: Fraction | None = None  #: of the last packet, seconds
        self._last: Fraction | None = None  #: its time of decoding
        self._offset = Fraction(0)  #: added since the clock was set back

    def shift(self, packet: Packet) -> None:
        """Carry on what earlier repairs began."""
        if self._offset:
            self._move(packet, round(self._offset / packet.time_base))

    def repair(self, packet: Packet) -> None:
        """Give a packet that was refused a time behind the last one."""
        base = packet.time_base
        free = 0 if self._last is None else int(self._last / base) + 1
        usual = 0 if self._last is None else max(free, round(self._end / base))
        if packet.dts is None:
            packet.dts = packet.pts if packet.pts is not None else usual
        if (free - packet.dts) * base > _JUMP:
            self._offset += (usual - packet.dts) * base
            self._move(packet, usual - packet.dts)
        packet.dts = max(packet.dts, free)
        if packet.pts is None or packet.pts < packet.dts:
            packet.pts = packet.dts

    def note(self, packet: Packet) -> None:
        """A packet has been taken."""
        if packet.dts is not None:
            self._last = packet.dts * packet.time_base
            self._end = self._last + (packet.duration or 0) * packet.time_base

    @staticmethod
    def _move(packet: Packet, ticks: int) -> None:
        packet.dts = packet.dts + ticks if packet.dts is not None else None
        packet.pts = packet.pts + ticks if packet.pts is not None else None
