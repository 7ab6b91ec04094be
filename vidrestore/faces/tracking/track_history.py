"""The sightings of one track around the frame that leaves the window next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..face import Face
from ..geometry import centre, face_size, fit, overlap
from ..json_state import State, pack_array, unpack_array
from .appearance import Appearance
from .gap_filling import SHORT, Presence, SearchImage, Sighting, fill_gap, hidden_frames
from .smoothing import REACH, smooth
from .tracker import CLEAR_SIGHTINGS, MIN_SIMILARITY

FADE = 5  #: frames over which a face fades in after its first sighting, and out before its last
#: Overlap of two boxes from which on one face is in the place of the other.
_SAME_PLACE = 0.5
#: How far a face may jump from one frame to the next, as a share of its size.
_FARTHEST_JUMP = 2.0


class TrackHistory:
    """The frames of one track in which its face is present. Older ones are dropped as the window advances.

    Gaps that could not be filled are absences. They split the track into intervals, each of which is smoothed
    and faded by itself; an interval with fewer sightings than confirm a face is not shown.
    """

    def __init__(self, first: int, *, opens_shot: bool) -> None:
        self._start = first  #: the first frame that the face can be shown in
        self._opening = first if opens_shot else -1  #: the frame that opens its shot with it, or -1
        self._frames: list[int] = []
        self._points: list[np.ndarray] = []
        self._absences: list[bool] = []  #: whether an absence precedes each frame
        self._scores: list[float] = []  #: confidence of each detection; 0 where it was found in a gap
        self._fitting: list[bool] = []  #: whether its points in each frame are those of a face
        self._hidden: list[int] = []  #: frames in which something hides the face for a moment
        self._appearance: Appearance  #: in the last sighting
        self.track = 0  #: id of the track, 0 until it is confirmed to be a face
        #: Whether another track may go on where this one ends: a dissolve ended it, or its face has jumped.
        self.handed_over = False

    def state(self) -> State:
        """Encode it for JSON."""
        return {
            "start": self._start,
            "opening": self._opening,
            "frames": list(self._frames),
            "points": [pack_array(points) for points in self._points],
            "absences": [bool(absence) for absence in self._absences],
            "scores": [float(score) for score in self._scores],
            "hidden": list(self._hidden),
            "look": self._appearance.state(),
            "track": self.track,
            "handed_over": self.handed_over,
        }

    @classmethod
    def from_state(cls, state: State) -> TrackHistory:
        """Decode a history encoded by :meth:`state`."""
        history = cls(state["start"], opens_shot=False)
        history._opening, history.track = state["opening"], state["track"]
        history.handed_over = state["handed_over"]
        history._frames, history._absences = list(state["frames"]), list(state["absences"])
        history._hidden = list(state["hidden"])
        history._points = [unpack_array(points) for points in state["points"]]
        history._scores = list(state["scores"])
        history._fitting = [_are_of_a_face(points) for points in history._points]
        history._appearance = Appearance.from_state(state["look"])
        return history

    @property
    def last(self) -> int:
        """Number of the frame with the last sighting."""
        return self._frames[-1]

    def is_succeeded_by(self, frame: int, box: np.ndarray) -> bool:
        """Whether the face with ``box`` (4,) in ``frame`` is another one that a dissolve has put in its
        place."""
        if not self.handed_over or frame != self.last + 1:
            return False
        return overlap(self._points[-1][:2].ravel(), box) > _SAME_PLACE

    def jumps_to(self, frame: int, box: np.ndarray, appearance: Appearance) -> bool:
        """Whether the face with ``box`` (4,) and ``appearance`` in ``frame`` is this one, too far from where
        it was for its track: it moves fast, at few frames per second, or the camera does."""
        if not self.track or frame != self.last + 1:
            return False
        here = self._points[-1][:2].ravel()
        near = np.linalg.norm(centre(box) - centre(here)) <= _FARTHEST_JUMP * face_size(here)
        return bool(near and self._appearance.vector @ appearance.vector >= MIN_SIMILARITY)

    def opens_at(self, frame: int) -> bool:
        """Whether it is a face that opens its shot, or takes another one's place, in ``frame``."""
        return bool(self.track) and self._opening == frame

    def add(self, sighting: Sighting, images: Sequence[SearchImage]) -> None:
        """Add the next sighting, and fill the gap before it.

        ``images`` are those of the frames directly before this one, at least as many as were missed.
        """
        if self._frames:
            before = Sighting(self.last, self._points[-1], self._appearance)
            missed = sighting.frame - self.last - 1
            between = images[len(images) - missed :]
            present = fill_gap(before, sighting, between)
            self._hidden += hidden_frames(before, sighting, between)
        else:
            present = [Presence(sighting.frame, sighting.points, False)]
        for frame, points, continuous in present:
            self._frames.append(frame)
            self._points.append(points)
            self._absences.append(not continuous)
            self._scores.append(sighting.score if frame == sighting.frame else 0.0)
            self._fitting.append(_are_of_a_face(points))
        self._appearance = sighting.appearance

    def confirm(self, track: int, *, shown_from: int) -> None:
        """Confirm it as the face with the id ``track``.

        Frames before ``shown_from`` have already left the window without it.
        """
        self.track = track
        self._start = max(self._start, shown_from)

    def settled(self, frame: int, latest: int, *, ended: bool) -> bool:
        """Whether no frame after the frame ``latest`` can change the face in ``frame``. ``ended`` says that
        its track will not be seen again."""
        if self._frames[0] > frame:
            return True
        if self.handed_over and self.track and latest < self.last + CLEAR_SIGHTINGS:
            return False  # it is not known whether another face takes its place
        if ended:
            return not self.track or self.last < latest  # it is known whether its shot ends with it
        return bool(self.track) and self.last >= frame + REACH

    def forget(self, before: int) -> None:
        """Drop the sightings in frames before the frame ``before``."""
        while self._frames and self._frames[0] < before:
            del self._frames[0], self._points[0], self._absences[0], self._scores[0], self._fitting[0]
        self._hidden = [frame for frame in self._hidden if frame >= before]

    def face(self, frame: int, *, ends_shot: bool) -> Face | None:
        """Return the face in ``frame``, smoothed, or None if it is not shown there.

        ``ends_shot`` says that the frame of the last sighting is known to be the last of its shot, or the
        last before another face takes its place. A face that is present in the first or last frame of its
        shot does not fade there: the cut hides the change. Nor does one that something hides for a moment:
        what is in front of it is left as it is. It fades beside more than a few frames in a row in which its
        points are not those of a face, as when it looks down: there it is left alone.
        """
        if not self.track or not self._start <= frame <= self.last or frame in self._hidden:
            return None
        frames, intervals = np.array(self._frames), np.cumsum(self._absences)
        following = int(np.searchsorted(frames, frame))
        interval = intervals == intervals[following]
        start, end = int(frames[interval][0]), int(frames[interval][-1])
        if frame < start or interval.sum() < CLEAR_SIGHTINGS:
            return None
        start = max(start, self._start)
        fading_in = FADE if start == self._opening else frame - start
        fading_out = FADE if ends_shot and end == self.last else end - frame
        beside = min(fading_in, fading_out, self._frames_to_unfit(following) - 1)
        strength = min(1.0, (max(beside, 0) + 1) / (FADE + 1))
        points = smooth(frames[interval], np.array(self._points)[interval], frame).astype(np.float32)
        score = self._scores[following] if self._frames[following] == frame else 0.0
        return Face(self.track, points[:2].ravel(), points[2:], strength, score=score)

    def _frames_to_unfit(self, place: int) -> int:
        """How many frames lie from the one at ``place`` of the list to the nearest of more than ``SHORT`` in
        a row whose points are not those of a face; many if there are none near."""
        near = range(max(0, place - FADE - 1), min(len(self._frames), place + FADE + 2))
        distances = [
            abs(self._frames[other] - self._frames[place])
            for other in near
            if not self._fitting[other] and self._unfit_run(other) > SHORT
        ]
        return min(distances, default=FADE + 1)

    def _unfit_run(self, place: int) -> int:
        """How many in a row, that at ``place`` among them, do not fit."""
        begin = end = place
        while begin > 0 and not self._fitting[begin - 1]:
            begin -= 1
        while end < len(self._fitting) and not self._fitting[end]:
            end += 1
        return end - begin


def _are_of_a_face(points: np.ndarray) -> bool:
    return fit(points[:2].ravel(), points[2:]) > 0
