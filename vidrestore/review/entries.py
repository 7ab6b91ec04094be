"""Frames and faces as they stand in the record: what was noted of them, and what follows over time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..stages.light_change import unpack
from ..stages.notes import FaceNotes, FrameNotes

#: The smallest share that counts as an action.
_LEAST = 0.005
#: Cells of a map of light that are averaged to each side: an eye that is drawn darker is no error of light.
_BROAD = 2
#: Side of a cell relative to the height of the face from chin to hairline, which is that of an aligned face
#: over 1.5; and the noise of a frame relative to that of its aligned faces, which interpolation smooths.
_CELL, _SMOOTHED = 42 / 512 * 1.5, 2.0


@dataclass(frozen=True, slots=True)
class FaceEntry:
    """One face in one frame."""

    note: FaceNotes
    #: Root mean square of how far its light is off that of its own frame, in levels of 255, beyond what the
    #: noise of the frame explains, which restoration removes; None if it was not changed.
    light: float | None
    #: The same of how that changed since the frame before; None without one.
    flicker: float | None

    @property
    def restored(self) -> bool:
        """Whether it was restored, not left alone."""
        return self.note.restored

    @property
    def acted(self) -> dict[str, float]:
        """What reduced its restoration, and by how much, in (0, 1]."""
        note = self.note
        acted = {
            "fade": 1 - note.fade,
            "landmarks": 1 - note.fit,
            "min-face": 1 - note.gates.size,
            "max-sharpness": 1 - note.gates.sharpness,
            "max-yaw": 1 - note.gates.yaw,
            "in colour": 1 - note.gates.colour,
            "cover": note.covered,
        }
        if note.likeness is not None:
            acted["reference guard"] = max(note.likeness.raised, 1 - note.likeness.kept)
        if note.restored:
            acted["worn"] = note.worn
        if note.guards is not None:
            acted |= {
                "raised w": note.guards.w - (note.w or 0),
                "identity guard": note.guards.face,
                "left eye guard": note.guards.left_eye,
                "right eye guard": note.guards.right_eye,
                "mouth guard": note.guards.mouth,
            }
        return {name: round(share, 3) for name, share in acted.items() if share > _LEAST}


@dataclass(frozen=True, slots=True)
class FrameEntry:
    """One frame."""

    index: int  #: from 0, the first frame of the run's part of the video
    pts: int  #: timestamp in ticks
    time: float  #: seconds from the beginning of the timeline
    shot: int
    faces: list[FaceEntry]


def frame_entries(frames: Iterable[FrameNotes], time_base: Fraction, begin: Fraction) -> Iterator[FrameEntry]:
    """The entries of ``frames``, all those of a run, in their order.

    ``time_base`` is the length of a tick in seconds, ``begin`` the timestamp in seconds at which the timeline
    begins.
    """
    before: dict[int, np.ndarray] = {}  # maps of light of the frame before, by track
    for index, frame in enumerate(frames):
        maps = {face.track: unpack(face.light) for face in frame.faces if face.light is not None}
        faces = []
        for face in frame.faces:
            here, there = maps.get(face.track), before.get(face.track)
            noise = _SMOOTHED * face.noise / max(_CELL * face.size, 1.0)  # of the mean of a cell
            light = None if here is None else _beyond(_broad(here), noise / _BROAD)
            flicker = None if here is None or there is None else _beyond(here - there, math.sqrt(2) * noise)
            faces.append(FaceEntry(face, light, flicker))
        before = maps
        yield FrameEntry(index, frame.pts, round(float(frame.pts * time_base - begin), 4), frame.shot, faces)


def _broad(cells: np.ndarray) -> np.ndarray:
    side = len(cells) // _BROAD
    return cells.reshape(side, _BROAD, side, _BROAD).mean(axis=(1, 3))


def _beyond(values: np.ndarray, noise: float) -> float:
    """The root mean square of ``values`` beyond that of ``noise``, rounded."""
    return round(math.sqrt(max(0.0, float(np.mean(values * values)) - noise * noise)), 2)
