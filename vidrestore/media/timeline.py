"""The part of a file that is processed, on the timeline of its container."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil


@dataclass(frozen=True)
class Span:
    """A part of a video, in seconds from the beginning of its timeline. An ``end`` of None is its end."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is cut off."""
        return not self.start and self.end is None


@dataclass(frozen=True)
class Timeline:
    """A span in terms of a container's timestamps, all in seconds."""

    begin: Fraction  #: the container's first timestamp, often zero
    span: Span
    #: Seconds by which a file that begins before 0 is moved as a whole: containers hold no negative times.
    move: Fraction = Fraction(0)

    @property
    def start(self) -> Fraction:
        """The first timestamp inside the span."""
        return self.begin + self.span.start

    @property
    def end(self) -> Fraction | None:
        """The first timestamp after the span; None if the span has no end."""
        return None if self.span.end is None else self.begin + self.span.end

    def shift(self, time_base: Fraction) -> int:
        """The ticks of ``time_base`` that are added to input timestamps to give those of OUT: negative if the
        beginning is cut off, otherwise those of ``move``: usually 0, so that a file that is not cut keeps
        every timestamp."""
        return -round(self.start / time_base) if self.span.start else ceil(self.move / time_base)

    def overlaps(self, start: Fraction, duration: Fraction) -> bool:
        """Whether the time from ``start`` to ``start + duration`` lies in the span, at least in part."""
        return self.span.whole or (start + duration > self.start and (self.end is None or start < self.end))
