"""Which part of a file is wanted, on the timeline of its container."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Span:
    """A part of a video in seconds from where its timeline begins; ``end`` None is its end."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    @property
    def whole(self) -> bool:
        """Nothing is cut off."""
        return not self.start and self.end is None


@dataclass(frozen=True)
class Timeline:
    """A span placed on a container's own timestamps, all in seconds."""

    begin: Fraction  #: the container's first timestamp, often zero
    span: Span

    @property
    def start(self) -> Fraction:
        """The first timestamp wanted."""
        return self.begin + self.span.start

    @property
    def end(self) -> Fraction | None:
        """The first timestamp no longer wanted."""
        return None if self.span.end is None else self.begin + self.span.end

    def shift(self, time_base: Fraction) -> int:
        """Ticks of ``time_base`` that are added to input timestamps to get those of OUT: negative where the
        beginning is cut off, otherwise 0, so that a whole file keeps every timestamp as it is."""
        return -round(self.start / time_base) if self.span.start else 0

    def overlaps(self, start: Fraction, duration: Fraction) -> bool:
        """Whether any of ``start`` to ``start + duration`` is wanted."""
        return self.span.whole or (start + duration > self.start and (self.end is None or start < self.end))
