"""Play back a recording as a face source, after checking that it was made from this video."""

from __future__ import annotations

import logging
import math
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Generic, NoReturn

from ...errors import InputError, UsageError
from ..face import Face
from ..json_state import State
from ..neighbours import with_neighbours
from ..source import Frame
from .recording import Origin, Recording

log = logging.getLogger(__name__)

#: Most frames of a run that may be missing in its recording, as a share of the recorded frames up to there;
#: they are left unrestored. A damaged stream decoded from the middle can yield a frame that it does not yield
#: when decoded from the start.
_MAX_MISSING = 0.01


class RecordedSource(Generic[Frame]):
    """A ``FaceSource`` that looks up the faces of each frame in a recording.

    ``pts`` returns the presentation timestamp of a frame, in ticks of the recording's time base. Faces come
    with what the recording sets for them. Faces of tracks that it says to skip are left out, and those to be
    skipped for a span have the strength 0.
    """

    def __init__(self, recording: Recording, *, pts: Callable[[Frame], int]) -> None:
        self._recording = recording
        self._pts = pts
        self._seen: set[int] = set()
        self._missing = 0
        self.tracks = 0
        self.faces = 0
        self.shots = 0

    def state(self) -> State:
        """See ``FaceSource.state``: faces depend on the recording only, so this holds the counts."""
        return {"seen": sorted(self._seen), "faces": self.faces, "missing": self._missing}

    def resume(self, state: State) -> None:
        """See ``FaceSource.resume``."""
        self._seen, self.faces = set(state["seen"]), state["faces"]
        self._missing = state["missing"]
        self.tracks = len(self._seen)

    @property
    def recording(self) -> Recording:
        """What is played back."""
        return self._recording

    def has_frame(self, frame: Frame) -> bool:
        """Whether the recording contains this frame."""
        return self._recording.faces_at(self._pts(frame)) is not None

    def faces_at(self, pts: int) -> tuple[Face, ...]:
        """The faces with which ``stream`` yields the frame that has the timestamp ``pts``."""
        return tuple(self._adjusted(self._recording.faces_at(pts) or (), pts))

    def stream(
        self, items: Iterable[tuple[Frame, object]], scale: tuple[float, float] = (1.0, 1.0)
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """See ``FaceSource.stream``; neither the images nor ``scale`` are used.

        Raises InputError if too many frames are missing in the recording, so that it is of another video.
        """
        for frame, _ in items:
            pts = self._pts(frame)
            recorded = self._recording.faces_at(pts)
            if recorded is None:
                self._missing += 1
                # Not of the frames seen here: a run that is resumed, or a portion, begins in the middle.
                if self._missing > _MAX_MISSING * bisect(self._recording.timestamps, pts):
                    self._raise_missing(pts)
            faces = tuple(self._adjusted(recorded or (), pts))
            self.shots = self._recording.shots_until(pts)
            self._seen.update(face.track for face in faces)
            self.tracks, self.faces = len(self._seen), self.faces + len(faces)
            yield frame, faces
        if self._missing:
            name = self._recording.display_name
            log.warning("%d frames are not in %s; they were left unrestored", self._missing, name)

    def _adjusted(self, faces: Iterable[Face], pts: int) -> list[Face]:
        kept, left_alone = [], []
        for face in faces:
            adjustment = self._recording.adjustment(face.track, pts)
            if adjustment.skip:
                if not self._recording.settings[face.track].spans:
                    left_alone.append(face)
                    continue
                # Not left out: around a span that is skipped, the restoration fades.
                adjustment = replace(adjustment, strength=0.0)
            reference = self._recording.reference(face.track)
            kept.append(replace(face, adjustment=adjustment, reference=reference))
        return with_neighbours(kept, left_alone)

    def _raise_missing(self, pts: int) -> NoReturn:
        origin, name = self._recording.origin, self._recording.display_name
        seconds = float(pts * origin.time_base - origin.begin)
        raise InputError(
            f"{name}, made from {origin.name}, has no frame at {seconds:.3f} s (timestamp {pts}), so it "
            "belongs to another video; run vidrestore analyze on this one"
        )


def set_w(
    recording: Recording, track_w: Mapping[int, float], person_w: Mapping[str, float] | None = None
) -> None:
    """Set the fidelity weights of tracks, by track id, and of persons, by name or id.

    A track's weight also counts in its spans that set another one. Raises UsageError for an unknown track or
    person.
    """
    for track, w in track_w.items():
        if track not in recording.settings:
            known = _listed(map(str, sorted(recording.settings)))
            raise UsageError(f"--track-w: {recording.display_name} has no track {track}; it has {known}")
        settings = recording.settings[track]
        spans = tuple(replace(span, adjustment=replace(span.adjustment, w=None)) for span in settings.spans)
        recording.settings[track] = replace(
            settings, adjustment=replace(settings.adjustment, w=w), spans=spans
        )
    for person, w in (person_w or {}).items():
        for found in _find_persons(recording, person):
            settings = recording.persons[found]
            recording.persons[found] = replace(settings, adjustment=replace(settings.adjustment, w=w))


def _find_persons(recording: Recording, person: str) -> list[int]:
    """The ids of the persons called ``person``, or of the one whose id it is."""
    persons = recording.persons
    found = [number for number, settings in persons.items() if settings.name == person]
    if not found and person.isdecimal() and int(person) in persons:
        found = [int(person)]
    if not found:
        known = _listed(settings.name or str(number) for number, settings in sorted(persons.items()))
        raise UsageError(f"--person-w: {recording.display_name} has no person {person!r}; it has {known}")
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(islice(names, 20)) or "none"


def check_origin(recording: Recording, origin: Origin) -> None:
    """Check that a recording covers the video, or the part of one, described by ``origin``.

    Raises InputError if the recording's frame size, time base or, in the same file, video stream differ or
    if it does not cover that part.
    Logs a warning if only the file names differ.
    """
    recorded, name = recording.origin, recording.display_name
    if (recorded.width, recorded.height) != (origin.width, origin.height):
        raise InputError(
            f"{name} is for a {recorded.width}x{recorded.height} video ({recorded.name}), but {origin.name} "
            f"is {origin.width}x{origin.height}; run vidrestore analyze on this one"
        )
    if recorded.time_base != origin.time_base:
        raise InputError(
            f"{name} has the time base {recorded.time_base} s ({recorded.name}), but {origin.name} has "
            f"{origin.time_base} s; run vidrestore analyze on this one"
        )
    end, last = (math.inf if part.end is None else part.end for part in (origin, recorded))
    if origin.start < recorded.start or end > last:
        part = f"from {recorded.start:g} s" + ("" if recorded.end is None else f" to {recorded.end:g} s")
        raise InputError(
            f"{name} covers {recorded.name} only {part}; choose a part within that with -ss and -to, or run "
            "vidrestore analyze on a longer part"
        )
    streams = {recorded.stream, origin.stream} - {None}
    if recorded.name == origin.name and len(streams) == 2:
        raise InputError(
            f"{name} is for video stream {recorded.stream} of {origin.name}, not for stream "
            f"{origin.stream}; choose the same --video-stream, or run vidrestore analyze on this one"
        )
    if recorded.name != origin.name:
        log.warning("%s was made from %s, not from %s", name, recorded.name, origin.name)
