"""Faces from a record: whether it is of this video, and the source that plays it back."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Generic, NoReturn

from ...errors import InputError, UsageError
from ..face import Face, TrackSettings
from ..json_state import State
from ..source import Frame
from .recording import Origin, Recording

log = logging.getLogger(__name__)

#: Share of a run's frames that may be missing in its record, and are then left as they are: a damaged
#: stream that is read from the middle can give a frame that it did not give when read from its beginning.
_STRAY = 0.01


class RecordedSource(Generic[Frame]):
    """Gives each frame of one video the faces that a record has for it. A ``FaceSource``.

    ``pts`` tells a frame's presentation timestamp, in the ticks that the record counts in. Tracks that
    are to be skipped have no faces.
    """

    def __init__(self, recording: Recording, *, pts: Callable[[Frame], int]) -> None:
        self._recording = recording
        self._pts = pts
        self._seen: set[int] = set()
        self.tracks = 0
        self.faces = 0

    def settings(self, track: int) -> TrackSettings:
        """What is set for a track of the record."""
        return self._recording.settings[track]

    def state(self) -> State:
        """See ``FaceSource.state``: a frame's faces hang on nothing but the record."""
        return {"seen": sorted(self._seen), "faces": self.faces}

    def resume(self, state: State) -> None:
        """See ``FaceSource.resume``."""
        self._seen, self.faces = set(state["seen"]), state["faces"]
        self.tracks = len(self._seen)

    def has_frame(self, frame: Frame) -> bool:
        """Whether the record has that frame."""
        return self._recording.faces_at(self._pts(frame)) is not None

    def stream(
        self, items: Iterable[tuple[Frame, object]], scale: tuple[float, float] = (1.0, 1.0)
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """See ``FaceSource.stream``; neither the pictures nor ``scale`` are looked at.

        Raises InputError where the record is not of this video.
        """
        stray = 0
        for count, (frame, _) in enumerate(items):
            found = self._recording.faces_at(self._pts(frame))
            if found is None:
                stray += 1
                if stray > _STRAY * count:
                    self._refuse(self._pts(frame))
            faces = tuple(face for face in found or () if not self.settings(face.track).skip)
            self._seen.update(face.track for face in faces)
            self.tracks, self.faces = len(self._seen), self.faces + len(faces)
            yield frame, faces
        if stray:
            called = self._recording.display_name
            log.warning("%d frames are not in %s; they were left as they are", stray, called)

    def _refuse(self, pts: int) -> NoReturn:
        origin, called = self._recording.origin, self._recording.display_name
        seconds = float(pts * origin.time_base - origin.begin)
        raise InputError(
            f"{called}, made of {origin.name}, has no frame at {seconds:.3f} s (timestamp {pts}), so it is "
            "of another video; run vidrestore analyze on this one"
        )


def set_w(recording: Recording, track_w: Mapping[int, float]) -> None:
    """Set the fidelity weight of tracks by their id. Raises UsageError for a track that there is not."""
    for track, w in track_w.items():
        if track not in recording.settings:
            known = ", ".join(map(str, sorted(recording.settings)[:20])) or "none"
            raise UsageError(f"--track-w: {recording.display_name} has no track {track}; it has {known}")
        recording.settings[track] = replace(recording.settings[track], w=w)


def check_origin(recording: Recording, origin: Origin) -> None:
    """Raise InputError where the video ``origin``, or the part of one, is not what the record was made of."""
    was, called = recording.origin, recording.display_name
    if (was.width, was.height) != (origin.width, origin.height):
        raise InputError(
            f"{called} is of a {was.width}x{was.height} video ({was.name}), and {origin.name} is "
            f"{origin.width}x{origin.height}; run vidrestore analyze on this one"
        )
    if was.time_base != origin.time_base:
        raise InputError(
            f"{called} counts time in units of {was.time_base} s ({was.name}), and {origin.name} in units of "
            f"{origin.time_base} s; run vidrestore analyze on this one"
        )
    end, last = (math.inf if part.end is None else part.end for part in (origin, was))
    if origin.start < was.start or end > last:
        part = f"from {was.start:g} s" + ("" if was.end is None else f" to {was.end:g} s")
        raise InputError(
            f"{called} holds {was.name} {part} only; ask for a part within that with -ss and -to, or run "
            "vidrestore analyze on more of it"
        )
    if was.name != origin.name:
        log.warning("%s was made of %s, not of %s", called, was.name, origin.name)
