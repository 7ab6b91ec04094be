"""Following faces from frame to frame: which detection is which face, through one shot."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
from filterpy.common import Q_discrete_white_noise
from filterpy.kalman import KalmanFilter
from scipy.optimize import linear_sum_assignment

from ..face import Detection
from ..json_state import State, pack_array, unpack_array
from .appearance import Look
from .gap_filling import SHORT, covered

# Standard deviations as shares of the face's size, a frame.
MEASUREMENT_NOISE = 0.03
ACCELERATION = 0.03
INITIAL_VELOCITY = 0.1
COASTING = 0.9  #: of its velocity a track keeps a frame while unseen: an old one is no guide to much later
PROCESS_NOISE = Q_discrete_white_noise(dim=2, dt=1.0, var=1.0)  #: for an acceleration of 1

# How far a detection may lie from where its track is expected, and what counts as near.
MAX_DISTANCE = 0.6  #: mean distance of the landmarks, as a share of the face's size
DISTANCE_GROWTH = 0.05  #: more of it for every frame the face went unseen
MAX_SIZE_RATIO = 2.0

# How much it matters what a face looks like, beside where it is.
APPEARANCE = 3.0
LEARNING = 0.2  #: share of the newest look in what a track is known to look like
# Likeness below which a face that was away for a while is another one: three quarters of other people are
# less like it, none of its own looks 20 frames apart.
ALIKE = 0.62

IMPOSSIBLE = 1e6  #: cost of a pair that is neither: any possible one is better

# A face is there when it was seen clearly a few times in short succession.
CLEAR_SCORE = 0.95
CLEAR_SIGHTINGS = 3
CLEAR_WITHIN = 10  #: frames


def coordinates(detection: Detection) -> np.ndarray:
    """The seven points of a detection, (7, 2) float64: the box's two corners and the landmarks."""
    return np.concatenate([detection.box.reshape(2, 2), detection.landmarks]).astype(np.float64)


class Track:
    """One face through one shot.

    Its motion is a Kalman filter with constant velocity over the seven points of a detection. All
    coordinates have the same model and the same noise, a share of the face's size, so the 28 states
    fall apart into 14 filters of two states with one covariance between them: one filter whose state
    is a (2, 14) matrix of positions and velocities.
    """

    def __init__(self, detection: Detection, look: Look, frame: int) -> None:
        self.id = 0  #: counted from 1 once the face is confirmed
        self.look = look.vector  #: what it looked like of late
        self.last = frame  #: the frame it was last seen in
        self._coasting = 1.0
        self._clear = deque[int](maxlen=CLEAR_SIGHTINGS)
        self._filter = _filter(np.stack([coordinates(detection).ravel(), np.zeros(14)]))
        self._filter.P = np.diag([MEASUREMENT_NOISE, INITIAL_VELOCITY]) ** 2 * self.size**2
        self._note(detection, frame)

    def state(self) -> State:
        """All that it is."""
        return {
            "id": self.id,
            "look": pack_array(self.look),
            "last": self.last,
            "coasting": self._coasting,
            "clear": list(self._clear),
            "x": pack_array(self._filter.x),
            "P": pack_array(self._filter.P),
        }

    @classmethod
    def resumed(cls, state: State) -> Track:
        """The track that was in that state."""
        track = cls.__new__(cls)
        track.id, track.last, track._coasting = state["id"], state["last"], state["coasting"]
        track.look = unpack_array(state["look"])
        track._clear = deque(state["clear"], maxlen=CLEAR_SIGHTINGS)
        track._filter = _filter(unpack_array(state["x"]))
        track._filter.P = unpack_array(state["P"])
        return track

    @property
    def points(self) -> np.ndarray:
        """Where its points are expected in the current frame, (7, 2) float64."""
        return self._filter.x[0].reshape(7, 2)

    @property
    def size(self) -> float:
        """The square root of its box's area, in pixels."""
        return _size(self.points)

    def predict(self) -> None:
        """Move on by a frame."""
        self._filter.x[1] *= self._coasting
        self._coasting = COASTING
        self._filter.predict(Q=PROCESS_NOISE * (ACCELERATION * self.size) ** 2)

    def update(self, detection: Detection, frame: int) -> None:
        """It was seen in the current frame."""
        variance = np.array([[(MEASUREMENT_NOISE * self.size) ** 2]])
        # Naming H lets filterpy take a row of 14 measurements as it is.
        self._filter.update(coordinates(detection).reshape(1, 14), R=variance, H=self._filter.H)
        self.last = frame
        self._coasting = 1.0
        self._note(detection, frame)

    def learn(self, look: Look) -> None:
        """Its face, by itself, looked like that in the current frame."""
        self.look = (1 - LEARNING) * self.look + LEARNING * look.vector

    @property
    def clearly_seen(self) -> bool:
        """Whether the last clear sightings are enough and lie close together."""
        return len(self._clear) == CLEAR_SIGHTINGS and self._clear[-1] - self._clear[0] <= CLEAR_WITHIN

    def _note(self, detection: Detection, frame: int) -> None:
        if detection.score >= CLEAR_SCORE:
            self._clear.append(frame)


class Tracker:
    """Assigns the detections of consecutive frames to tracks.

    A track outlives ``max_gap`` frames in a row without a detection, ten at most until it is confirmed, and
    ends with its shot.
    """

    def __init__(self, *, max_gap: int) -> None:
        self._max_gap = max_gap
        self._frame = -1
        self._tracks: list[Track] = []
        self.confirmed = 0  #: how many tracks turned out to be faces so far

    def update(
        self, detections: Sequence[Detection], looks: Sequence[Look], *, new_shot: bool = False
    ) -> list[Track]:
        """The tracks of the next frame's ``detections``, which look like ``looks``, in their order.

        A detection that fits no track starts one. A track gets its id with the sighting that confirms
        it: the third clear one within ten frames, so that what the detector mistakes for a face now and
        then never becomes one.
        """
        self._frame += 1
        if new_shot:
            self._tracks.clear()
        self._tracks = [track for track in self._tracks if self._missed(track) <= self._patience(track)]
        for track in self._tracks:
            track.predict()

        found: list[Track | None] = [None] * len(detections)
        alone = _alone(detections)
        for row, column in self._assignment(detections, looks, alone):
            track = found[column] = self._tracks[row]
            track.update(detections[column], self._frame)
            if alone[column]:
                track.learn(looks[column])
        # From left to right, so that no id hangs on the order of two all but equal scores.
        for column in sorted(range(len(detections)), key=lambda column: detections[column].box[0]):
            track = found[column]
            if track is None:
                track = found[column] = Track(detections[column], looks[column], self._frame)
                self._tracks.append(track)
            if track.id == 0 and track.clearly_seen:
                self.confirmed += 1
                track.id = self.confirmed
        return [track for track in found if track is not None]

    @property
    def tracks(self) -> list[Track]:
        """Those that a face may still be found to be."""
        return list(self._tracks)

    def state(self) -> State:
        """All that it is, but for its tracks."""
        return {"frame": self._frame, "confirmed": self.confirmed}

    def resume(self, state: State, tracks: Sequence[Track]) -> None:
        """Be what was in that state, with these tracks."""
        self._frame, self.confirmed = state["frame"], state["confirmed"]
        self._tracks = list(tracks)

    def _missed(self, track: Track) -> int:
        """In how many frames before the current one it went undetected."""
        return self._frame - track.last - 1

    def _patience(self, track: Track) -> int:
        return self._max_gap if track.id else min(self._max_gap, CLEAR_WITHIN)

    def _assignment(
        self, detections: Sequence[Detection], looks: Sequence[Look], alone: np.ndarray
    ) -> Iterator[tuple[int, int]]:
        """Which track is which detection, the dearest pairs left out."""
        if not self._tracks or not detections:
            return
        expected = np.stack([track.points for track in self._tracks])[:, None]
        seen = np.stack([coordinates(detection) for detection in detections])[None]
        missed = np.array([[self._missed(track)] for track in self._tracks])

        sizes = _size(expected), _size(seen)
        distance = np.linalg.norm(expected - seen, axis=-1)[..., 2:].mean(-1) / sizes[0]
        reach = MAX_DISTANCE + DISTANCE_GROWTH * missed
        ratio = sizes[1] / sizes[0]
        likeness = np.stack([t.look for t in self._tracks]) @ np.stack([look.vector for look in looks]).T
        possible = (
            (distance <= reach)
            & (ratio <= MAX_SIZE_RATIO)
            & (ratio >= 1 / MAX_SIZE_RATIO)
            & ((likeness >= ALIKE) | (missed <= SHORT) | ~alone)
        )
        cost = distance / reach + 1 - _overlap(expected, seen) + APPEARANCE * (1 - likeness)
        cost = np.where(possible, cost, IMPOSSIBLE)
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if possible[row, column]:
                yield row, column


def _filter(x: np.ndarray) -> KalmanFilter:
    """A filter of constant velocity with these positions and velocities, (2, 14)."""
    made = KalmanFilter(dim_x=2, dim_z=1)
    made.F = np.array([[1.0, 1.0], [0.0, 1.0]])
    made.H = np.array([[1.0, 0.0]])
    made.x = x
    return made


def _alone(detections: Sequence[Detection]) -> np.ndarray:
    """Which of the faces no other one covers, so that they look like themselves, (n,) bool."""
    boxes = np.array([detection.box for detection in detections]).reshape(-1, 4)
    # Each covers itself.
    return np.array([covered(box, boxes).sum() == 1 for box in boxes], bool)


def _size(points: np.ndarray) -> np.ndarray:
    """The square root of the boxes' areas, for points (..., 7, 2)."""
    return np.sqrt(np.clip(points[..., 1, :] - points[..., 0, :], 1e-3, None).prod(-1))


def _overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of the boxes of points (..., 7, 2), broadcast."""
    corner = np.minimum(a[..., 1, :], b[..., 1, :]) - np.maximum(a[..., 0, :], b[..., 0, :])
    shared = np.clip(corner, 0, None).prod(-1)
    return shared / (_size(a) ** 2 + _size(b) ** 2 - shared)
