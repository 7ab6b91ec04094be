"""A record of the faces of one video."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ..face import Face, TrackSettings


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """What tells a person which face a track is."""

    first: float  #: when it is first shown, in seconds from where the video's timeline begins
    last: float
    frames: int
    size: int  #: median over its frames of the square root of its box's area, in pixels


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The video, or the part of one, that a record was made of."""

    name: str
    width: int  #: as displayed
    height: int
    time_base: Fraction  #: seconds to a tick of the frames' timestamps
    begin: Fraction  #: where the video's timeline begins, in seconds of those timestamps
    start: float = 0.0  #: of the part, in seconds from there
    end: float | None = None  #: None is the video's end


@dataclass(eq=False)
class Recording:
    """The faces of every frame, in compact arrays: 68 bytes a face. Frames are added in order."""

    origin: Origin
    display_name: str = "the record"  #: how messages name it
    settings: dict[int, TrackSettings] = field(default_factory=dict, init=False)
    _pts: array = field(init=False, default_factory=lambda: array("q"), repr=False)
    _ends: array = field(
        init=False, default_factory=lambda: array("q"), repr=False
    )  #: faces up to each frame's last
    _tracks: array = field(init=False, default_factory=lambda: array("q"), repr=False)
    _values: array = field(init=False, default_factory=lambda: array("f"), repr=False)  #: 15 of each face

    def add(self, pts: int, faces: Iterable[Face]) -> None:
        """The next frame; a track's first face brings it in with the settings that change nothing."""
        for face in faces:
            self.settings.setdefault(face.track, TrackSettings())
            self._tracks.append(face.track)
            self._values.extend((*face.box.tolist(), *face.landmarks.ravel().tolist(), face.strength))
        self._pts.append(pts)
        self._ends.append(len(self._tracks))

    @property
    def frames(self) -> int:
        return len(self._pts)

    @property
    def faces(self) -> int:
        return len(self._tracks)

    @property
    def timestamps(self) -> array:
        """Of the frames, in ticks, ascending."""
        return self._pts

    def faces_at(self, pts: int) -> tuple[Face, ...] | None:
        """The faces of the frame with that timestamp, skipped tracks' too; None where there is no such
        frame."""
        number = int(np.searchsorted(self._pts, pts))
        return self._faces(number) if number < self.frames and self._pts[number] == pts else None

    def summary(self) -> dict[int, TrackSummary]:
        """Of each track that has a face, by its id."""
        values = np.array(self._values, np.float64).reshape(-1, 15)
        tracks = np.array(self._tracks, np.int64)
        frames = np.repeat(np.arange(self.frames), np.diff(self._ends, prepend=0))
        size = np.sqrt((values[:, 2] - values[:, 0]) * (values[:, 3] - values[:, 1]))
        order = np.argsort(tracks, kind="stable")
        ids, starts = np.unique(tracks[order], return_index=True)
        return {
            int(track): TrackSummary(
                self._seconds(frames[own[0]]),
                self._seconds(frames[own[-1]]),
                len(own),
                round(float(np.median(size[own]))),
            )
            for track, own in zip(ids, np.split(order, starts)[1:], strict=True)
        }

    def _seconds(self, number: int) -> float:
        return round(float(self._pts[number] * self.origin.time_base - self.origin.begin), 3)

    def _faces(self, number: int) -> tuple[Face, ...]:
        begin, end = self._ends[number - 1] if number else 0, self._ends[number]
        values = np.array(self._values[begin * 15 : end * 15], np.float32).reshape(-1, 15)
        return tuple(
            Face(track, row[:4], row[4:14].reshape(5, 2), float(row[14]))
            for track, row in zip(self._tracks[begin:end], values, strict=True)
        )
