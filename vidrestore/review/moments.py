"""The moments of a video at which a restoration is most likely to go wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..faces.geometry import centre, face_size
from ..faces.recorded.recording import Recording
from ..restoration.fidelity.face_quality import face_height, face_yaw
from ..restoration.fidelity.rules import Limits
from .drawing import clock

#: Seconds between two moments that are chosen for the same reason, at least, while there are others.
_APART = 2.0
#: Faces of a recording that are looked at, about.
_SIGHTS = 20_000
#: Noise that is worth a word.
_NOISY = 4


@dataclass(frozen=True, slots=True)
class Sight:
    """A face in one frame, and what makes it hard to restore. None: not known."""

    time: Fraction  #: seconds from the beginning of the timeline
    size: float  #: height of the face, pixels
    yaw: float  #: over 90 degrees
    place: tuple[float, float]  #: the middle of its box, pixels of the upright frame
    speed: float | None = None  #: motion from the frame before, as a share of its size
    score: float | None = None  #: the detector's confidence in [0, 1]; 0: not detected in this frame
    sharpness: float | None = None  #: see ``FaceQuality``
    noise: float | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A time to look at, and why."""

    time: Fraction  #: seconds from the beginning of the timeline
    why: str = ""
    place: tuple[float, float] | None = None  #: of the face in question; None: all faces

    def __str__(self) -> str:
        return f"{clock(float(self.time))}{self.why and ': '}{self.why}"


#: What makes a face hard to restore: the risk, 1 where it begins to show, None if it is not known; and words.
_Reason = tuple[Callable[[Sight], float | None], Callable[[Sight], str]]
_REASONS: tuple[_Reason, ...] = (
    (lambda s: 60 / s.size, lambda s: f"small, {s.size:.0f} px"),
    (
        lambda s: None if s.sharpness is None else (1 - s.sharpness) / 0.6 + (s.noise or 0) / 30,
        lambda s: f"worn, sharpness {s.sharpness:.2f}" + f", noise {s.noise:.0f}" * ((s.noise or 0) > _NOISY),
    ),
    (lambda s: s.yaw / 0.4, lambda s: f"turned aside by {90 * s.yaw:.0f} degrees"),
    (
        lambda s: None if s.score is None else min(4.0, (1 - s.score) / 0.05),
        lambda s: f"hard to find, score {s.score:.2f}" if s.score else "not detected, its place is guessed",
    ),
    (
        lambda s: None if s.speed is None else s.speed / 0.04,
        lambda s: f"moves by {s.speed or 0:.0%} of its size per frame",
    ),
)


def choose_moments(sights: Sequence[Sight], count: int) -> list[Moment]:
    """The ``count`` riskiest moments, in the order of their time; fewer if there are not as many frames with
    faces. The more often a reason has been given, the less it counts."""
    ranked = [_Ranked(sights, *reason) for reason in _REASONS]
    chosen: list[Moment] = []
    for apart in (_APART, 0.0):
        for reason in ranked:
            reason.rewind()
        while len(chosen) < count:
            taken = [moment.time for moment in chosen]
            best = max(ranked, key=lambda reason: reason.risk(taken, apart))
            if not best.risk(taken, apart):
                break
            chosen.append(best.take())
    return sorted(chosen, key=lambda moment: moment.time)


class _Ranked:
    """Sights in the order of their risk for one reason."""

    def __init__(
        self,
        sights: Iterable[Sight],
        risk: Callable[[Sight], float | None],
        words: Callable[[Sight], str],
    ) -> None:
        risks = ((risk(sight), sight) for sight in sights)
        known = [(how, sight) for how, sight in risks if how is not None]
        self._sights = sorted(known, key=lambda pair: (-pair[0], pair[1].time))
        self._words = words
        self._next, self._given = 0, 0

    def rewind(self) -> None:
        """Begin with the riskiest again."""
        self._next = 0

    def risk(self, taken: Sequence[Fraction], apart: float) -> float:
        """The risk of the next sight more than ``apart`` seconds from the times ``taken``, divided by how
        often the reason has been given; 0 if there is none."""
        while self._next < len(self._sights):
            how, sight = self._sights[self._next]
            if all(abs(sight.time - other) > apart for other in taken):
                return how / (1 + self._given)
            self._next += 1
        return 0.0

    def take(self) -> Moment:
        """The sight that :meth:`risk` has found."""
        sight = self._sights[self._next][1]
        self._given += 1
        return Moment(sight.time, self._words(sight), sight.place)


def sights_of(recording: Recording, limits: Limits) -> Iterator[Sight]:
    """The faces of a recording that a run with these limits restores, whatever their colour: those of all
    frames, or of frames spread over it if they are many."""
    origin, timestamps = recording.origin, recording.timestamps
    for index in range(0, len(timestamps), 1 + recording.faces // _SIGHTS):
        pts = timestamps[index]
        earlier = recording.faces_at(timestamps[index - 1]) if index else None
        before = {face.track: face for face in earlier or ()}
        for face in recording.faces_at(pts) or ():
            size, yaw = face_height(face.landmarks), face_yaw(face.landmarks)
            condition = recording.conditions.get(face.track)
            if recording.adjustment(face.track, pts).skip or face.strength < 1:
                continue  # left out, or fading in or out
            if size < limits.min_size or (limits.max_yaw and yaw > limits.max_yaw):
                continue
            if limits.max_sharpness and condition and condition.sharpness > limits.max_sharpness:
                continue
            x, y = centre(face.box).tolist()
            yield Sight(
                pts * origin.time_base - origin.begin,
                size,
                yaw,
                (x, y),
                speed=speed(before[face.track].box, face.box) if face.track in before else None,
                score=face.score,
                sharpness=condition and condition.sharpness,
                noise=condition and condition.noise,
            )


def speed(before: np.ndarray, now: np.ndarray) -> float:
    """How far a box (4,) has moved, as a share of its size."""
    return math.dist(centre(before), centre(now)) / face_size(now)
