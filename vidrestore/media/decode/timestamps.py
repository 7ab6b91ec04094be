"""Timestamps that increase, for frames that come without one, with one twice, or out of order."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av

#: Frames without a time of their own that wait for one that has: more are given the usual distance.
_PATIENCE = 16
#: As many frames in a row whose times lie far back mean that the clock was set back.
_SET_BACK = 3


class Timestamps:
    """Gives every frame a timestamp, each later than the one before; their own wherever they can be kept."""

    def __init__(self, rate: Fraction, *, decoding: bool = False) -> None:
        """``rate`` in frames per second is what frames lie apart where nothing else tells. With ``decoding``
        the times of decoding are the better ones."""
        self._decoding = decoding
        self.repaired = 0  #: frames that did not keep what they came with
        self._rate = rate
        self._last: int | None = None
        self._pending: list[av.VideoFrame] = []
        self._behind = 0
        #: What is added to timestamps since the clock was set back, as where recordings are joined.
        self._shift = 0

    def __call__(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The frames as they come, with ``pts`` set."""
        for frame in frames:
            stamp = self._valid_pts(frame)
            if stamp is not None:
                yield from self._flush_pending(stamp)
                yield self._assign(frame, stamp)
                continue
            if len(self._pending) == _PATIENCE:
                yield from self._flush_pending(None)
            self._pending.append(frame)
        yield from self._flush_pending(None)

    def _valid_pts(self, frame: av.VideoFrame) -> int | None:
        """The frame's own timestamp; None where it has none, or one that has passed."""
        usual = self._step(frame)
        for stamp in (frame.dts,) if self._decoding else (frame.pts, frame.dts):
            if stamp is None:
                continue
            stamp += self._shift
            if self._last is None or stamp > self._last:
                self._behind = 0
                return stamp
            if self._last - stamp > _PATIENCE * usual:
                self._behind += 1
                if self._behind < _SET_BACK:
                    return None
                now = self._last + (len(self._pending) + 1) * usual
                self._shift += now - stamp
                self._behind = 0
                return now
        return None

    def _flush_pending(self, end: int | None) -> Iterator[av.VideoFrame]:
        """The frames that wait, spread evenly from the last timestamp to ``end``."""
        count = len(self._pending)
        for number, frame in enumerate(self._pending):
            usual = self._step(frame)
            if self._last is None:
                stamp = 0 if end is None else end - count * usual
                if end is not None and stamp < 0 <= end - count:
                    stamp = 0
            elif end is None:
                stamp = self._last + usual
            else:
                stamp = self._last + (end - self._last) // (count - number + 1)
            yield self._assign(frame, stamp)
        self._pending.clear()

    def _step(self, frame: av.VideoFrame) -> int:
        return max(1, round(1 / (self._rate * frame.time_base)))

    def _assign(self, frame: av.VideoFrame, stamp: int) -> av.VideoFrame:
        # Where the clock's ticks are too few, later frames move on.
        stamp = stamp if self._last is None else max(stamp, self._last + 1)
        self.repaired += frame.pts != stamp
        frame.pts = self._last = stamp
        return frame
