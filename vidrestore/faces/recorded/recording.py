"""The faces of all frames of one video, in compact arrays."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from ..face import Adjustment, Face, PersonSettings, TrackSettings


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """Figures by which a person can tell which face a track is."""

    first: float  #: time of its first frame, in seconds from the beginning of the timeline
    last: float  #: time of its last frame
    frames: int  #: number of frames with this face
    size: int  #: median over its frames of the square root of the area of its box, in pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The condition of a track's face: medians over frames at which it was measured, and what follows."""

    size: float  #: height of the face from chin to hairline, in pixels of the frame
    sharpness: float  #: in [0, 1], see ``FaceQuality``
    noise: float  #: standard deviation of the luma's noise, on a scale of 0 to 255
    yaw: float  #: over 90 degrees: 0 frontal, 1 in profile
    roll: float  #: in-plane rotation in degrees, clockwise, in (-180, 180]
    w: float  #: the fidelity weight that ``--w auto`` chooses
    why: str  #: the reason, in words
    #: Share of the face, in [0, 1], that something lies over; None if it was not measured, as in older files.
    in_front: float | None = None


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
    stream: int | None = None  #: number of the video stream in the file; None: not known


@dataclass(eq=False)
class Recording:
    """The faces of every frame, 72 bytes per face. Frames are added in order of their timestamps."""

    origin: Origin
    display_name: str = "the record"  #: its name in messages
    settings: dict[int, TrackSettings] = field(default_factory=dict, init=False)  #: by track
    persons: dict[int, PersonSettings] = field(default_factory=dict, init=False)
    conditions: dict[int, Condition] = field(default_factory=dict, init=False)  #: by track, where measured
    #: Timestamps of the first frame of each shot, ascending.
    shots: list[int] = field(default_factory=list, init=False)
    _pts: array = field(init=False, default_factory=lambda: array("q"), repr=False)
    #: For each frame, the number of faces up to and including it.
    _ends: array = field(init=False, default_factory=lambda: array("q"), repr=False)
    #: The track of each face.
    _tracks: array = field(init=False, default_factory=lambda: array("q"), repr=False)
    #: 16 values per face: box, landmarks, strength, score (-1 if it is not known).
    _values: array = field(init=False, default_factory=lambda: array("f"), repr=False)

    def add(self, pts: int, faces: Sequence[Face]) -> None:
        """Append a frame. A track that is new gets default settings."""
        values = (
            (
                *face.box.tolist(),
                *face.landmarks.ravel().tolist(),
                face.strength,
                -1.0 if face.score is None else face.score,
            )
            for face in faces
        )
        tracks = [face.track for face in faces]
        for track in tracks:
            self.settings.setdefault(track, TrackSettings())
        self.add_values(pts, zip(tracks, values, strict=True))

    def add_values(self, pts: int, faces: Iterable[tuple[int, Iterable[float]]]) -> None:
        """Append a frame whose faces are given as a track, which must have settings, and 16 numbers: box,
        landmarks, strength and score, which is -1 if it is not known."""
        for track, values in faces:
            self._tracks.append(track)
            self._values.extend(values)
        self._pts.append(pts)
        self._ends.append(len(self._tracks))

    def set_persons(self, persons: Mapping[int, int]) -> None:
        """Set whom each track shows, by track id, and list these persons."""
        for track, person in persons.items():
            self.settings[track] = replace(self.settings[track], person=person)
            self.persons.setdefault(person, PersonSettings())

    def shots_until(self, pts: int) -> int:
        """How many shots begin at or before the timestamp ``pts``; 0 if shots are not known."""
        return bisect_right(self.shots, pts)

    def adjustment(self, track: int, pts: int) -> Adjustment:
        """What a person set for a track at a time: by the span, else the track, else the person. Raises
        KeyError for an unknown track."""
        settings = self.settings[track]
        seconds = float(pts * self.origin.time_base - self.origin.begin)
        chosen = settings.adjustment
        for span in settings.spans:
            if span.start <= seconds <= span.end:
                chosen = span.adjustment.over(chosen)
        if settings.person is not None and settings.person in self.persons:
            chosen = chosen.over(self.persons[settings.person].adjustment)
        return chosen

    def reference(self, track: int) -> tuple[float, ...] | None:
        """The embedding of a photograph of the person whom a track shows; None if there is none. Raises
        KeyError for an unknown track."""
        person = self.settings[track].person
        return self.persons[person].reference if person is not None and person in self.persons else None

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
        values = np.array(self._values, np.float64).reshape(-1, 16)
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
        values = np.array(self._values[begin * 16 : end * 16], np.float32).reshape(-1, 16)
        return tuple(
            Face(
                track,
                row[:4],
                row[4:14].reshape(5, 2),
                float(row[14]),
                score=None if row[15] < 0 else float(row[15]),
            )
            for track, row in zip(self._tracks[begin:end], values, strict=True)
        )
