"""What was seen of one track around the frame that is next to leave the window."""

from __future__ import annotations

import numpy as np

from .face import Face
from .smooth import smooth

FADE = 5  #: frames over which a face fades in after its first sighting, and out before its last


class Series:
    """The sightings of one track, by frame number. Older ones are dropped as the window moves on."""

    def __init__(self, first: int, *, opens_shot: bool) -> None:
        self._start = first  #: the first frame that the face is shown in
        self._opens_shot = opens_shot
        self._frames: list[int] = []
        self._points: list[np.ndarray] = []
        self.track = 0  #: its id, once it is confirmed to be a face

    @property
    def last(self) -> int:
        """The frame it was last seen in."""
        return self._frames[-1]

    def seen_in(self, frame: int) -> bool:
        """Whether it was seen in that frame, not only before and after it."""
        return frame in self._frames

    def add(self, frame: int, points: np.ndarray) -> None:
        """It was seen in ``frame``, at ``points`` (7, 2): the box's corners and the landmarks."""
        self._frames.append(frame)
        self._points.append(points)

    def confirm(self, track: int, *, shown_from: int) -> None:
        """It is the face ``track``, and the frames before ``shown_from`` have already gone without it."""
        self.track = track
        if shown_from > self._start:
            self._start, self._opens_shot = shown_from, False

    def forget(self, before: int) -> None:
        """Drop the sightings in frames before that one."""
        while self._frames and self._frames[0] < before:
            del self._frames[0], self._points[0]

    def face(self, frame: int, *, ends_shot: bool) -> Face | None:
        """The face in ``frame``, smoothed; None where it is not shown.

        ``ends_shot`` says that the frame it was last seen in is known to be the last of its shot. A
        face that is there when its shot starts, or when it ends, does not fade: the cut hides it.
        """
        if not self.track or not self._start <= frame <= self.last:
            return None
        fading_in = FADE if self._opens_shot else frame - self._start
        fading_out = FADE if ends_shot else self.last - frame
        strength = min(1.0, (min(fading_in, fading_out) + 1) / (FADE + 1))
        points = smooth(np.array(self._frames), np.array(self._points), frame).astype(np.float32)
        return Face(self.track, points[:2].ravel(), points[2:], strength)
