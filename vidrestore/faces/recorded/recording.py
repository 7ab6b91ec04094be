"""The faces of all frames of one video, in compact arrays."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ..face import Face, TrackSettings


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """Figures by which a person can tell which face a track is."""

    first: float  #: time of its first frame, in seconds from the beginning of the timeline
    last: float  #: time of its last frame
    frames: int  #: number of frames with this face
    size: int  #: median over its frames of the square root of the area of its box, in pixels


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The video, or the part of one, that a recording was made from."""

    name: str  #: file name
    width: int  #: of upright frames, in pixels
    height: int
    time_base: Fraction  #: seconds per tick of the timestamps
    begin: Fraction  #: timestamp, in seconds, at which the timeline begins
    start: float = 0.0  #: start of the part, in seconds from the beginning of the timeline
    end: float | None = None  #: end of the part; None: the end of the video


@dataclass(eq=False)
class Recording:
    """The faces of every frame, 68 bytes per face. Frames are added in order of their timestamps."""

    origin: Origin
    display_name: str = "the record"  #: its name in messages
    settings: dict[int, TrackSettings] = field(default_factory=dict, init=False)
    _pts: array = field(init=False, default_factory=lambda: array("q"), repr=False)
    #: For each frame, the number of faces up to and including it.
    _ends: array = field(init=False, default_factory=lambda: array("q"), repr=False)
    #: The track of each face.
    _tracks: array = field(init=False, default_factory=lambda: array("q"), repr=False)
    #: 15 values per face: box, landmarks, strength.
    _values: array = field(init=False, default_factory=lambda: array("f"), repr=False)

    def add(self, pts: int, faces: Iterable[Face]) -> None:
        """Append a frame. A track that is new gets default settings."""
        for face in faces:
            self.settings.setdefault(face.track, TrackSettings())
            self._tracks.append(face.track)
            self._values.extend((*face.box.tolist(), *face.landmarks.ravel().tolist(), face.strength))
        self._pts.append(pts)
        self._ends.append(len(self._tracks))

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self._pts)

    @property
    def faces(self) -> int:
        """Number of faces, summed over all frames."""
        return len(self._tracks)

    @property
    def timestamps(self) -> array:
        """Presentation timestamps of the frames, in ticks, ascending."""
        return self._pts

    def faces_at(self, pts: int) -> tuple[Face, ...] | None:
        """Return the faces of the frame with timestamp ``pts``, skipped tracks included; None if there is
        no such frame."""
        index = int(np.searchsorted(self._pts, pts))
        return self._faces(index) if index < self.frames and self._pts[index] == pts else None

    def summary(self) -> dict[int, TrackSummary]:
        """Return the summary of each track that has a face, by its id."""
        values = np.array(self._values, np.float64).reshape(-1, 15)
        tracks = np.array(self._tracks, np.int64)
        frames = np.repeat(np.arange(self.frames), np.diff(self._ends, prepend=0))
        size = np.sqrt((values[:, 2] - values[:, 0]) * (values[:, 3] - values[:, 1]))
        order = np.argsort(tracks, kind="stable")
        ids, starts = np.unique(tracks[order], return_index=True)
        return {
            int(track): TrackSummary(
                self._seconds(int(frames[own[0]])),
                self._seconds(int(frames[own[-1]])),
                len(own),
                round(float(np.median(size[own]))),
            )
            for track, own in zip(ids, np.split(order, starts)[1:], strict=True)
        }

    def _seconds(self, index: int) -> float:
        """Time of a frame in seconds from the beginning of the timeline, rounded to milliseconds."""
        return round(float(self._pts[index] * self.origin.time_base - self.origin.begin), 3)

    def _faces(self, index: int) -> tuple[Face, ...]:
        begin, end = self._ends[index - 1] if index else 0, self._ends[index]
        values = np.array(self._values[begin * 15 : end * 15], np.float32).reshape(-1, 15)
        return tuple(
            Face(track, row[:4], row[4:14].reshape(5, 2), float(row[14]))
            for track, row in zip(self._tracks[begin:end], values, strict=True)
        )
