"""The course of each track over time, in a bounded number of points, for plots."""

from __future__ import annotations

from dataclasses import dataclass, field

from .entries import FaceEntry

#: What is plotted, in the order of a point's values.
PLOTTED = ("w", "size", "sharpness", "identity")
#: Points over all tracks, and the least and the most of one.
_BUDGET, _FEWEST, _MOST = 60_000, 8, 240


def points_each(tracks: int) -> int:
    """How many points a track may have if there are ``tracks``."""
    return min(max(_BUDGET // max(tracks, 1), _FEWEST), _MOST)


@dataclass(slots=True)
class Series:
    """One track. Every point stands for as many frames: the mean of each value, and the largest distance."""

    most: int  #: points
    step: int = 1  #: frames of a point
    points: list[list[float | None]] = field(default_factory=list)  #: time, then :data:`PLOTTED`
    _count: int = 0  #: frames in the last point

    def add(self, time: float, face: FaceEntry) -> None:
        """Append a frame."""
        note = face.note
        measured = note.fit > 0
        values = [
            time,
            note.guards.w if note.guards else note.w,
            note.size if measured else None,
            note.sharpness if measured else None,
            note.guards.identity if note.guards else None,
        ]
        if self.points and self._count < self.step:
            self.points[-1] = _merged(self.points[-1], values, self._count)
            self._count += 1
            return
        if len(self.points) == self.most:
            pairs = zip(self.points[::2], self.points[1::2], strict=False)
            self.points = [_merged(a, b, 1) for a, b in pairs] + self.points[len(self.points) // 2 * 2 :]
            self.step *= 2
        self.points.append(values)
        self._count = 1

    def columns(self) -> list[list[float | None]]:
        """Times and values, each a list over the points, rounded."""
        digits = (2, 2, 0, 2, 3)
        return [
            [None if value is None else round(value, place) for value in column]
            for place, column in zip(digits, zip(*self.points, strict=True), strict=True)
        ]


def _merged(a: list[float | None], b: list[float | None], count: int) -> list[float | None]:
    """A point of ``count`` frames and one more: the time of the first, means, and the largest distance."""
    means = [
        y if x is None else x if y is None else (count * x + y) / (count + 1)
        for x, y in zip(a[1:-1], b[1:-1], strict=True)
    ]
    distances = [value for value in (a[-1], b[-1]) if value is not None]
    return [a[0], *means, max(distances, default=None)]
