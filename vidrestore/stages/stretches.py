"""Which frames of a run are restored; the others were finished earlier."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stretches of frames, by their numbers: ascending, and none touches the next. False if there is none.

    >>> frames = Stretches.join([range(0, 10), range(10, 20), range(50, 60)])
    >>> frames.stretches
    (range(0, 20), range(50, 60))
    >>> 19 in frames, 20 in frames, frames.places_near(20, 1), frames.places_near(48, 1)
    (True, False, range(0, 1), range(1, 1))
    """

    stretches: tuple[range, ...]

    @classmethod
    def after(cls, done: int) -> Self:
        """All frames but the first ``done``."""
        return cls((range(done, sys.maxsize),))

    @classmethod
    def join(cls, stretches: Iterable[range]) -> Self:
        """The ``stretches``, which are ascending; those that touch become one."""
        joined: list[range] = []
        for stretch in stretches:
            if joined and joined[-1].stop == stretch.start:
                joined[-1] = range(joined[-1].start, stretch.stop)
            else:
                joined.append(stretch)
        return cls(tuple(joined))

    def __bool__(self) -> bool:
        return bool(self.stretches)

    def __contains__(self, frame: int) -> bool:
        return len(self.places_near(frame, 0)) > 0

    def places_near(self, frame: int, reach: int) -> range:
        """The places of the stretches that ``frame`` is in, or at most ``reach`` frames from."""
        begin = bisect_right(self.stretches, frame - reach, key=lambda stretch: stretch.stop)
        end = bisect_right(self.stretches, frame + reach, key=lambda stretch: stretch.start)
        return range(begin, end)


#: All frames.
ALL = Stretches.after(0)
