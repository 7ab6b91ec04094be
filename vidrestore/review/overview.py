"""The shots, tracks and persons of a run, from its frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..faces.face import PersonSettings, TrackSettings
from .entries import FrameEntry


@dataclass(slots=True)
class ShotEntry:
    """The frames between two cuts."""

    id: int
    first: int  #: its first frame
    last: int  #: its last frame
    start: float  #: time of the first one
    end: float  #: time of the last one


@dataclass(slots=True)
class TrackEntry:
    """One face through one shot. Means are over the frames for which the value is known."""

    id: int
    shot: int
    person: int | None
    name: str | None
    first: int
    last: int
    start: float
    end: float
    frames: int = 0  #: in which it has a face
    restored: int = 0  #: in which that was restored
    sums: dict[str, tuple[float, int]] = field(default_factory=dict, repr=False)

    def add(self, name: str, value: float | None) -> None:
        """Take ``value`` into the mean of ``name``."""
        if value is not None:
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = total + value, count + 1

    def mean(self, name: str) -> float | None:
        """The mean of ``name``; None if it has no value."""
        total, count = self.sums.get(name, (0.0, 0))
        return round(total / count, 3) if count else None


@dataclass(slots=True)
class PersonEntry:
    """The tracks that show the same face."""

    id: int
    name: str | None
    tracks: list[int] = field(default_factory=list)
    frames: int = 0


@dataclass(slots=True)
class Overview:
    """Collects shots, tracks and persons while frames go by. Memory grows with their number only."""

    settings: Mapping[int, TrackSettings]  #: of tracks, from the tracks file
    known: Mapping[int, PersonSettings]  #: persons, from the same
    shots: list[ShotEntry] = field(default_factory=list)
    tracks: dict[int, TrackEntry] = field(default_factory=dict)
    frames: int = 0
    faces: int = 0
    restored: int = 0

    def add(self, frame: FrameEntry) -> None:
        """Take the next frame in."""
        self.frames += 1
        if not self.shots or frame.shot != self.shots[-1].id:
            self.shots.append(ShotEntry(frame.shot, frame.index, frame.index, frame.time, frame.time))
        shot = self.shots[-1]
        shot.last, shot.end = frame.index, frame.time
        for face in frame.faces:
            note = face.note
            track = self.tracks.get(note.track)
            if track is None:
                own = self.settings.get(note.track, TrackSettings())
                track = self.tracks[note.track] = TrackEntry(
                    note.track,
                    frame.shot,
                    own.person,
                    own.name,
                    frame.index,
                    frame.index,
                    frame.time,
                    frame.time,
                )
            track.last, track.end = frame.index, frame.time
            track.frames += 1
            track.restored += face.restored
            self.faces += 1
            self.restored += face.restored
            if note.fit:
                for name in ("size", "sharpness", "noise", "yaw"):
                    track.add(name, getattr(note, name))
            track.add("w", note.w)
            track.add("strength", note.strength)
            track.add("light", face.light)
            track.add("flicker", face.flicker)
            track.add("identity", note.guards.identity if note.guards else None)

    @property
    def persons(self) -> list[PersonEntry]:
        """Whom the tracks show, those without a person left out."""
        found: dict[int, PersonEntry] = {}
        for track in self.tracks.values():
            if track.person is not None:
                name = self.known[track.person].name if track.person in self.known else None
                person = found.setdefault(track.person, PersonEntry(track.person, name))
                person.tracks.append(track.id)
                person.frames += track.frames
        return sorted(found.values(), key=lambda person: person.id)
