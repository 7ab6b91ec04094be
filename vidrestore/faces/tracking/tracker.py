"""Track faces through one shot: assign the detections of each frame to tracks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
from filterpy.common import Q_discrete_white_noise
from filterpy.kalman import KalmanFilter
from scipy.optimize import linear_sum_assignment

from ..face import Detection
from ..geometry import roll
from ..json_state import State, pack_array, unpack_array
from .appearance import Appearance
from .gap_filling import SHORT, occluding

# Standard deviations per frame, as shares of the size of the face.
MEASUREMENT_NOISE = 0.03
ACCELERATION = 0.03
INITIAL_VELOCITY = 0.1
COASTING = 0.9  #: factor per frame on the velocity of an undetected track: old velocities mislead
PROCESS_NOISE = Q_discrete_white_noise(dim=2, dt=1.0, var=1.0)  #: for an acceleration of 1

# Gates: how far a detection may lie from the predicted place of its track.
MAX_DISTANCE = 0.6  #: mean distance of the landmarks, as a share of the size of the face
DISTANCE_GROWTH = 0.05  #: added to it for every frame in which the face went undetected
MAX_SIZE_RATIO = 2.0
#: Between the rolls of a track and of a detection, in radians: one of them was found in a wrong orientation.
MAX_TURN = np.pi / 2

APPEARANCE_WEIGHT = 3.0  #: weight of appearance in the cost of an assignment, relative to position
LOOKS = 18  #: earlier looks that a track keeps
LEARNING_RATE = 0.2  #: share of the newest appearance in the running mean of a track
#: Similarity of appearance below which a face that was undetected for a while is another face. Three quarters
#: of pairs of different people lie below it, and no pair of one face 20 frames apart.
MIN_SIMILARITY = 0.62

IMPOSSIBLE = 1e6  #: cost of a pair outside the gates: every possible pair is cheaper

# A track is confirmed to be a face once it was detected clearly a few times in short succession.
CLEAR_SCORE = 0.95
CLEAR_SIGHTINGS = 3
CLEAR_WITHIN = 10  #: frames
FIRST_CHECK = 4  #: frames after its first detection in which the orientation of a track is checked again


def coordinates(detection: Detection) -> np.ndarray:
    """Return the seven points of a detection, (7, 2) float64: two corners of the box, then the landmarks."""
    return np.concatenate([detection.box.reshape(2, 2), detection.landmarks]).astype(np.float64)


class Track:
    """One face through one shot.

    Its motion model is a Kalman filter with constant velocity over the seven points of a detection. All
    coordinates have the same model and the same noise, a share of the size of the face, so the 28 states
    separate into 14 filters of two states with a common covariance: one filter whose state is a (2, 14)
    matrix of positions and velocities.
    """

    def __init__(self, detection: Detection, appearance: Appearance, frame: int) -> None:
        self.id = 0  #: 0 until the track is confirmed to be a face, then counted from 1
        self.appearance = appearance.vector  #: (649,) float32: running mean
        self.last = frame  #: number of the frame of its last detection
        self.checked = frame  #: number of the frame in which its orientation was last checked
        #: Frames after which it is checked again; 0 until its first check.
        self.wait = FIRST_CHECK if detection.checked else 0
        #: Its looks now and then, with the numbers of their frames, as :mod:`.dissolves` compares them.
        self.looks = deque[tuple[int, np.ndarray]](maxlen=LOOKS)
        self._coasting = 1.0
        self._clear = deque[int](maxlen=CLEAR_SIGHTINGS)
        self._filter = _filter(np.stack([coordinates(detection).ravel(), np.zeros(14)]))
        self._filter.P = np.diag([MEASUREMENT_NOISE, INITIAL_VELOCITY]) ** 2 * self.size**2
        self._count_clear(detection, frame)

    def state(self) -> State:
        """Encode it for JSON."""
        return {
            "id": self.id,
            "look": pack_array(self.appearance),
            "last": self.last,
            "checked": [self.checked, self.wait],
            "looks": [[frame, pack_array(look)] for frame, look in self.looks],
            "coasting": self._coasting,
            "clear": list(self._clear),
            "x": pack_array(self._filter.x),
            "P": pack_array(self._filter.P),
        }

    @classmethod
    def from_state(cls, state: State) -> Track:
        """Decode a track encoded by :meth:`state`."""
        track = cls.__new__(cls)
        track.id, track.last, track._coasting = state["id"], state["last"], state["coasting"]
        track.checked, track.wait = state["checked"]
        looks = ((frame, unpack_array(look)) for frame, look in state["looks"])
        track.looks = deque(looks, maxlen=LOOKS)
        track.appearance = unpack_array(state["look"])
        track._clear = deque(state["clear"], maxlen=CLEAR_SIGHTINGS)
        track._filter = _filter(unpack_array(state["x"]))
        track._filter.P = unpack_array(state["P"])
        return track

    @property
    def points(self) -> np.ndarray:
        """Predicted points in the current frame, (7, 2) float64, in pixels of the image."""
        return self._filter.x[0].reshape(7, 2)

    @property
    def box(self) -> np.ndarray:
        """Predicted box (4,) float64."""
        return self.points[:2].ravel()

    @property
    def landmarks(self) -> np.ndarray:
        """Predicted landmarks (5, 2) float64."""
        return self.points[2:]

    @property
    def size(self) -> float:
        """Square root of the area of its predicted box, in pixels."""
        return float(_size(self.points))

    def predict(self) -> None:
        """Advance to the next frame."""
        self._filter.x[1] *= self._coasting
        self._coasting = COASTING
        self._filter.predict(Q=PROCESS_NOISE * (ACCELERATION * self.size) ** 2)

    def update(self, detection: Detection, frame: int) -> None:
        """Correct the prediction by a detection in the current frame, number ``frame``."""
        variance = np.array([[(MEASUREMENT_NOISE * self.size) ** 2]])
        # With H passed explicitly, filterpy accepts a row of 14 measurements as it is.
        self._filter.update(coordinates(detection).reshape(1, 14), R=variance, H=self._filter.H)
        self.last = frame
        self._coasting = 1.0
        self._count_clear(detection, frame)

    def learn(self, appearance: Appearance) -> None:
        """Update the running mean with the appearance in a frame where no other face covers this one."""
        self.appearance = (1 - LEARNING_RATE) * self.appearance + LEARNING_RATE * appearance.vector

    @property
    def clearly_seen(self) -> bool:
        """Whether enough of its detections, close together in time, were clear."""
        return len(self._clear) == CLEAR_SIGHTINGS and self._clear[-1] - self._clear[0] <= CLEAR_WITHIN

    def _count_clear(self, detection: Detection, frame: int) -> None:
        if detection.score >= CLEAR_SCORE:
            self._clear.append(frame)


class Tracker:
    """Assigns the detections of consecutive frames to tracks.

    A track ends with its shot, or after more than ``max_gap`` consecutive frames without a detection; more
    than ten while it is not yet confirmed.
    """

    def __init__(self, *, max_gap: int) -> None:
        self._max_gap = max_gap
        self.frame = -1  #: number of the frame advanced to
        self._tracks: list[Track] = []
        self.confirmed = 0  #: number of tracks confirmed to be faces so far

    def advance(self, number: int | None = None, *, new_shot: bool = False) -> None:
        """Predict the tracks in the frame ``number``, by default the next one; those that ended before it are
        dropped."""
        steps = 1 if number is None else number - self.frame
        self.frame += steps
        if new_shot:
            self._tracks.clear()
        self._tracks = [track for track in self._tracks if self._missed(track) <= self._patience(track)]
        for track in self._tracks:
            for _ in range(steps):
                track.predict()

    def update(self, detections: Sequence[Detection], appearances: Sequence[Appearance]) -> list[Track]:
        """Assign the detections of the frame advanced to, with their appearances; return the track of each.

        A detection that fits no track starts one. A track gets its id with the detection that confirms it,
        the third clear one within ten frames, so that occasional false detections never become a face; but
        not before its orientation was checked.
        """
        assigned: list[Track | None] = [None] * len(detections)
        unoccluded = _unoccluded(detections)
        for row, column in self._assignment(detections, appearances, unoccluded):
            track = assigned[column] = self._tracks[row]
            track.update(detections[column], self.frame)
            if unoccluded[column]:
                track.learn(appearances[column])
        # From left to right, so that ids do not depend on the order of two nearly equal scores.
        for column in sorted(range(len(detections)), key=lambda column: detections[column].box[0]):
            track = assigned[column]
            if track is None:
                track = assigned[column] = Track(detections[column], appearances[column], self.frame)
                self._tracks.append(track)
            if track.id == 0 and track.clearly_seen and track.wait:
                self.confirmed += 1
                track.id = self.confirmed
        return [track for track in assigned if track is not None]

    def end(self, track: Track) -> None:
        """End a track before its time."""
        self._tracks.remove(track)

    @property
    def tracks(self) -> list[Track]:
        """The tracks that detections can still be assigned to."""
        return list(self._tracks)

    def state(self) -> State:
        """Encode it for JSON, without its tracks."""
        return {"frame": self.frame, "confirmed": self.confirmed}

    def resume(self, state: State, tracks: Sequence[Track]) -> None:
        """Continue from a state encoded by :meth:`state`, with these tracks."""
        self.frame, self.confirmed = state["frame"], state["confirmed"]
        self._tracks = list(tracks)

    def _missed(self, track: Track) -> int:
        """Number of frames directly before the current one in which it went undetected."""
        return self.frame - track.last - 1

    def _patience(self, track: Track) -> int:
        """Number of consecutive frames without a detection that ``track`` outlives."""
        return self._max_gap if track.id else min(self._max_gap, CLEAR_WITHIN)

    def _assignment(
        self, detections: Sequence[Detection], appearances: Sequence[Appearance], unoccluded: np.ndarray
    ) -> Iterator[tuple[int, int]]:
        """Yield index pairs (track, detection) of the cheapest assignment whose pairs pass the gates."""
        if not self._tracks or not detections:
            return
        expected = np.stack([track.points for track in self._tracks])[:, None]
        detected = np.stack([coordinates(detection) for detection in detections])[None]
        missed = np.array([[self._missed(track)] for track in self._tracks])

        sizes = _size(expected), _size(detected)
        distance = np.linalg.norm(expected - detected, axis=-1)[..., 2:].mean(-1) / sizes[0]
        max_distance = MAX_DISTANCE + DISTANCE_GROWTH * missed
        ratio = sizes[1] / sizes[0]
        known = np.stack([track.appearance for track in self._tracks])
        similarity = known @ np.stack([appearance.vector for appearance in appearances]).T
        rolls = [[roll(points[2:]) for points in side] for side in (expected[:, 0], detected[0])]
        turn = np.abs(np.angle(np.exp(1j * np.subtract.outer(*rolls))))
        possible = (
            (turn <= MAX_TURN)
            & (distance <= max_distance)
            & (ratio <= MAX_SIZE_RATIO)
            & (ratio >= 1 / MAX_SIZE_RATIO)
            & ((similarity >= MIN_SIMILARITY) | (missed <= SHORT) | ~unoccluded)
        )
        cost = distance / max_distance + 1 - _iou(expected, detected) + APPEARANCE_WEIGHT * (1 - similarity)
        cost = np.where(possible, cost, IMPOSSIBLE)
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if possible[row, column]:
                yield row, column


def _filter(x: np.ndarray) -> KalmanFilter:
    """A constant-velocity filter with the state ``x`` (2, 14) of positions and velocities."""
    kalman = KalmanFilter(dim_x=2, dim_z=1)
    kalman.F = np.array([[1.0, 1.0], [0.0, 1.0]])
    kalman.H = np.array([[1.0, 0.0]])
    kalman.x = x
    return kalman


def _unoccluded(detections: Sequence[Detection]) -> np.ndarray:
    """Which faces no other face covers, so that their appearance is their own: (n,) bool."""
    boxes = np.array([detection.box for detection in detections]).reshape(-1, 4)
    # Each box covers itself.
    return np.array([occluding(box, boxes).sum() == 1 for box in boxes], bool)


def _size(points: np.ndarray) -> np.ndarray:
    """Square root of the area of the boxes of points (..., 7, 2): (...)."""
    return np.sqrt(np.clip(points[..., 1, :] - points[..., 0, :], 1e-3, None).prod(-1))


def _iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of the boxes of points (..., 7, 2), with broadcasting."""
    corner = np.minimum(a[..., 1, :], b[..., 1, :]) - np.maximum(a[..., 0, :], b[..., 0, :])
    intersection = np.clip(corner, 0, None).prod(-1)
    return intersection / (_size(a) ** 2 + _size(b) ** 2 - intersection)
