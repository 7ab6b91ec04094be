"""Increasing timestamps for frames whose own are missing, repeated or out of order."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av

#: How many frames without a valid timestamp are held back to be spread up to the next valid one. If more
#: follow one another, they are placed at the usual frame distance.
_MAX_PENDING = 16
#: So many frames in a row whose timestamps are far behind mean that the clock was set back.
_SET_BACK_FRAMES = 3


class Timestamps:
    """Gives every frame a timestamp later than that of the frame before, its own one if possible."""

    def __init__(self, rate: Fraction, *, decoding: bool = False, has_times: bool = True) -> None:
        """``rate``, in frames per second, is the distance of frames if nothing else tells it. With
        ``decoding`` a frame's dts is used instead of its pts. That a raw stream has no times is no fault."""
        #: How many frames did not keep the timestamp that they came with. With ``decoding``, a frame that has
        #: none is not counted: those that the decoder delivers at the end of a healthy file never have one.
        self.repaired = 0
        self._decoding = decoding
        self._may_lack = decoding or not has_times
        self._rate = rate
        self._last: int | None = None
        self._pending: list[av.VideoFrame] = []
        self._behind = 0  #: frames in a row that were far behind
        #: Ticks added to input timestamps since the clock was set back, as where recordings are joined.
        self._shift = 0

    def __call__(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Yield the frames in the order that they come, with ``pts`` set."""
        leap: tuple[av.VideoFrame, int] | None = None  #: a frame far ahead, and its timestamp
        for frame in frames:
            pts, step = self._valid_pts(frame), self._step(frame)
            if leap:
                if pts is not None and pts < leap[1]:  # the others go on: that frame's time alone is wrong
                    self._pending.append(leap[0])
                else:
                    yield from self._take(*leap)
                    pts = self._valid_pts(frame)
                leap = None
            if pts is not None and self._last is not None and pts - self._last > _MAX_PENDING * step:
                leap = frame, pts  # the next one may be back in place
            else:
                yield from self._take(frame, pts)
        if leap:
            yield from self._take(*leap)
        yield from self._flush_pending(None)

    def _take(self, frame: av.VideoFrame, pts: int | None) -> Iterator[av.VideoFrame]:
        """The frames whose timestamps are certain with this one, whose own is ``pts``."""
        if pts is not None:
            yield from self._flush_pending(pts)
            yield self._assign(frame, pts)
            return
        if len(self._pending) == _MAX_PENDING:
            yield from self._flush_pending(None)
        self._pending.append(frame)

    def _valid_pts(self, frame: av.VideoFrame) -> int | None:
        """The timestamp that the frame came with; None if it has none, or one that is not later than the
        last."""
        step = self._step(frame)
        for pts in (frame.dts,) if self._decoding else (frame.pts, frame.dts):
            if pts is None:
                continue
            pts += self._shift
            if self._last is None or pts > self._last:
                self._behind = 0
                return pts
            if self._last - pts > _MAX_PENDING * step:
                self._behind += 1
                if self._behind < _SET_BACK_FRAMES:
                    return None
                expected = self._last + (len(self._pending) + 1) * step
                self._shift += expected - pts
                self._behind = 0
                return expected
        return None

    def _flush_pending(self, end: int | None) -> Iterator[av.VideoFrame]:
        """The pending frames, spread evenly between the last timestamp and ``end``."""
        count = len(self._pending)
        for number, frame in enumerate(self._pending):
            step = self._step(frame)
            if self._last is None:
                pts = 0 if end is None else end - count * step
                if end is not None and pts < 0 <= end - count:
                    pts = 0
            elif end is None:
                pts = self._last + step
            else:
                pts = self._last + (end - self._last) // (count - number + 1)
            yield self._assign(frame, pts)
        self._pending.clear()

    def _step(self, frame: av.VideoFrame) -> int:
        """The usual distance of two frames, in ticks."""
        return max(1, round(1 / (self._rate * _base(frame))))

    def _assign(self, frame: av.VideoFrame, pts: int) -> av.VideoFrame:
        # If there are too few ticks for the pending frames, later frames are moved back.
        pts = pts if self._last is None else max(pts, self._last + 1)
        given = frame.dts if self._decoding else frame.pts
        self.repaired += given != pts and not (self._may_lack and given is None)
        frame.pts = self._last = pts
        return frame


def _base(frame: av.VideoFrame) -> Fraction:
    assert frame.time_base is not None
    return frame.time_base
