"""What was seen of one track around the frame that is next to leave the window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..face import Face
from ..json_state import State, pack_array, unpack_array
from .appearance import Look
from .gap_filling import Picture, Sighting, close
from .smoothing import smooth
from .tracker import CLEAR_SIGHTINGS

FADE = 5  #: frames over which a face fades in after its first sighting, and out before its last


class Series:
    """The sightings of one track, by frame number. Older ones are dropped as the window moves on.

    Between two of them the face is there all the time or, in a gap that could not be closed, was away.
    Spells between two absences are shown, smoothed and faded each by itself; one with less sightings than
    make a face is not shown.
    """

    def __init__(self, first: int, *, opens_shot: bool) -> None:
        self._start = first  #: the first frame that the face can be shown in
        self._opening = first if opens_shot else -1  #: the frame in which it is there as its shot starts
        self._frames: list[int] = []
        self._points: list[np.ndarray] = []
        self._absences: list[bool] = []  #: whether it was away just before
        self._look: Look
        self.track = 0  #: its id, once it is confirmed to be a face

    def state(self) -> State:
        """All that it is."""
        return {
            "start": self._start,
            "opening": self._opening,
            "frames": list(self._frames),
            "points": [pack_array(points) for points in self._points],
            "absences": [bool(absence) for absence in self._absences],
            "look": self._look.state(),
            "track": self.track,
        }

    @classmethod
    def resumed(cls, state: State) -> Series:
        """The series that was in that state."""
        series = cls(state["start"], opens_shot=False)
        series._opening, series.track = state["opening"], state["track"]
        series._frames, series._absences = list(state["frames"]), list(state["absences"])
        series._points = [unpack_array(points) for points in state["points"]]
        series._look = Look.resumed(state["look"])
        return series

    @property
    def last(self) -> int:
        """The frame it was last seen in."""
        return self._frames[-1]

    def add(self, sighting: Sighting, pictures: Sequence[Picture]) -> None:
        """It was seen again; ``pictures`` (at least) are those of the frames before this one."""
        if self._frames:
            before = Sighting(self.last, self._points[-1], self._look)
            missed = sighting.frame - self.last - 1
            listed = close(before, sighting, pictures[len(pictures) - missed :])
        else:
            listed = [(sighting.frame, sighting.points, False)]
        for frame, points, there_since in listed:
            self._frames.append(frame)
            self._points.append(points)
            self._absences.append(not there_since)
        self._look = sighting.look

    def confirm(self, track: int, *, shown_from: int) -> None:
        """It is the face ``track``, and the frames before ``shown_from`` have already gone without it."""
        self.track = track
        self._start = max(self._start, shown_from)

    def forget(self, before: int) -> None:
        """Drop the sightings in frames before that one."""
        while self._frames and self._frames[0] < before:
            del self._frames[0], self._points[0], self._absences[0]

    def face(self, frame: int, *, ends_shot: bool) -> Face | None:
        """The face in ``frame``, smoothed; None where it is not shown.

        ``ends_shot`` says that the frame it was last seen in is known to be the last of its shot. A
        face that is there when its shot starts, or when it ends, does not fade: the cut hides it.
        """
        if not self.track or not self._start <= frame <= self.last:
            return None
        frames, spells = np.array(self._frames), np.cumsum(self._absences)
        following = int(np.searchsorted(frames, frame))
        spell = spells == spells[following]
        start, end = int(frames[spell][0]), int(frames[spell][-1])
        if frame < start or spell.sum() < CLEAR_SIGHTINGS:
            return None
        start = max(start, self._start)
        fading_in = FADE if start == self._opening else frame - start
        fading_out = FADE if ends_shot and end == self.last else end - frame
        strength = min(1.0, (min(fading_in, fading_out) + 1) / (FADE + 1))
        points = smooth(frames[spell], np.array(self._points)[spell], frame).astype(np.float32)
        return Face(self.track, points[:2].ravel(), points[2:], strength)
