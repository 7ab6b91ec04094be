"""Find faces upright at any roll: correct the detections of a frame by looks at turned copies of places.

The detector runs over whole frames as they are. Turned copies are looked at only

- where a track is rolled: once in every frame, at its predicted place and roll, so that the turn is kept for
  the track;
- where a detection is doubtful: it is new or rolled, or its landmarks do not fit its box; and about once a
  second for each track, because the landmarks of a face found upside down may look plausible;
- now and then at hints, faces that the detector is not sure of, and, while a frame shows no face clearly, at
  the whole frame in eighth turns. Small rolled faces and rolled faces in noise are found by these only;
- where all faces are rolled alike, now and then at the whole frame in the turn in which they are upright.

Every kind is limited in number, so that the cost per frame is bounded whatever the frame shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, TypeGuard

import numpy as np

from ..detection.detector import SCORE_THRESHOLD, Detector
from ..detection.turned_looks import Place, TurnedLooks
from ..face import Detection
from ..geometry import fit, overlap, roll_between
from .tracker import CLEAR_SCORE, FIRST_CHECK, Track

#: Roll in radians from which landmarks found in the frame as it is are not used: their errors grow with it.
ROLLED = np.radians(18)
CHECK_EVERY = 24  #: frames after which the orientation of a track is checked again
MOST_CHECKS = 4  #: places checked in one frame
HINTS_EVERY = 8  #: frames after which the next hint is followed
HINTS_EVERY_ALONE = 2  #: the same in frames without a clear face
MOST_HINTS = 2  #: hints followed in the first frame of a shot
#: Places followed in each turn of a whole frame. In noise, the face is not the best of them: the detector
#: gives more for whole figures. 21 looks have fewer pixels than one eighth turn of a frame of 960 x 960.
MOST_PLACES = 3
MOST_ALIKE = 8  #: places followed at once in the turn in which all faces of a frame are upright
TURN_EVERY = 16  #: frames after which the next turn of a frame without a clear face is looked at
SAME_FACE = 0.5  #: share of the smaller of two boxes inside the other from which they show one face
#: Size of a face in a figure that is taken for one, relative to the figure's, at most.
_INSIDE = 0.6
_EIGHTH = np.pi / 4  #: of a turn
#: Score from which a hint is followed further: nothing is shown that is not clearly a face.
_CLEAR_COPY = 0.9


#: As many as in a picture that is looked at once: of hints, most of which are no faces, the best ones.
_ANY = 64


class _Most(NamedTuple):
    """How many places are looked at in one image."""

    checks: int
    hints: int  #: in the first frame of a shot
    places: int  #: in each turn of the whole image
    alike: int  #: in the turn in which all faces are upright


class UprightFaces:
    """Corrects the detections of one frame after another."""

    def __init__(self, detector: Detector, *, still: bool = False) -> None:
        """``still``: each image is a picture of its own. Nothing can be put off to later frames."""
        self._looks = TurnedLooks(detector)
        self._most = _Most(*4 * [_ANY]) if still else _Most(MOST_CHECKS, MOST_HINTS, MOST_PLACES, MOST_ALIKE)

    def __call__(
        self,
        image: np.ndarray,
        found: Sequence[Detection],
        tracks: Sequence[Track] = (),
        *,
        frame: int = 0,
        new_shot: bool = True,
        whole: bool = True,
    ) -> list[Detection]:
        """Return the detections of a frame, with faces at any roll found upright.

        Args:
            image: (H, W, 3) uint8 BGR.
            found: The detections in it, in pixels of ``image``; those up to ``SCORE_THRESHOLD`` are hints.
            tracks: The tracks so far, with their predicted points in this frame.
            frame: Number of the frame.
            new_shot: Whether it starts a shot.
            whole: Whether all of it may be looked at in turns, if it shows no face clearly.
        """
        sure = [face for face in found if face.score > SCORE_THRESHOLD]
        # A figure that was once taken for a rolled face must not hide the clear face inside it.
        upright = [face for face in sure if _is_clear(face) and abs(_place(face).roll) <= ROLLED]
        followed = [
            face
            for face in self._follow(image, tracks, frame)
            if _is_certain(face, tracks) or not _holds(face, upright)
        ]
        faces = [face for face in sure if not _covered(face, followed)]
        faces = [*self._check(image, faces, tracks, frame), *followed]

        certain, doubtful = [], []
        for face in faces:
            (certain if _is_certain(face, tracks) else doubtful).append(face)
        unsure = [face for face in found if face.score <= SCORE_THRESHOLD and not _covered(face, certain)]
        hints = [_place(face) for face in unsure[: self._most.hints]] if new_shot else []
        alone = not certain and not any(track.id for track in tracks)
        every = HINTS_EVERY_ALONE if alone else HINTS_EVERY
        if unsure and not new_shot and frame % every == 0:
            # Each in turn, so that one that is no face does not keep the others from being looked at.
            hints = [_place(unsure[frame // every % len(unsure)])]
        if alone and whole:
            hints += self._whole_turns(image, frame, new_shot)
        clear = self._follow_hints(image, hints, certain)
        if whole and (new_shot or frame % HINTS_EVERY == 0):
            clear += self._alike(image, [*certain, *clear])
        # What is clear in a look counts for more than what is not in the frame: in noise, the detector takes
        # whole figures and pictures for faces, and the true face lies inside.
        return [*certain, *(face for face in doubtful if not _covered(face, clear)), *clear]

    def _follow(self, image: np.ndarray, tracks: Sequence[Track], frame: int) -> list[Detection]:
        """The faces of rolled tracks."""
        rolled = {track: _place(track) for track in tracks if abs(_place(track).roll) > ROLLED}
        due = [track for track in rolled if frame - track.checked >= track.wait]
        due = sorted(due, key=lambda track: track.checked)[: self._most.checks]
        searched = self._looks.search(image, [rolled[track] for track in due])
        for track, face in zip(due, searched, strict=True):
            _note_check(track, frame, face)
            if _is_found(face):
                rolled[track] = _place(face)
        return _distinct(self._looks.level(image, list(rolled.values())))

    def _check(
        self, image: np.ndarray, faces: list[Detection], tracks: Sequence[Track], frame: int
    ) -> list[Detection]:
        """``faces``, of which those that are doubtful or due are found upright if they are rolled."""
        kept: list[Detection] = []
        checks: list[tuple[tuple[bool, bool, int], int, Track | None]] = []
        for face in faces:
            place = _place(face)
            track = _nearest(place, tracks)
            if track and not track.id and place.size < _INSIDE * _place(track).size:
                track = None  # which may be a figure around the face
            # Of a rolled track that its look has lost for a moment, the frame as it is shows wrong landmarks.
            expected = _place(track).roll if track else 0.0
            if abs(expected) > ROLLED and roll_between(place.roll, expected) > ROLLED:
                continue
            kept.append(face)
            doubtful = abs(place.roll) > ROLLED or fit(face.box, face.landmarks) < 1
            waited = frame - track.checked if track else CHECK_EVERY
            wait = track.wait if track else 0
            if waited >= (min(wait, FIRST_CHECK) if doubtful else wait):
                checks.append(((not doubtful, wait > 0, -waited), len(kept) - 1, track))
        checks = sorted(checks, key=lambda check: check[0])[: self._most.checks]
        places = {}
        searched = self._looks.search(image, [_place(kept[index]) for _, index, _ in checks])
        for (_, index, track), best in zip(checks, searched, strict=True):
            kept[index] = replace(kept[index], checked=True)
            if track:
                _note_check(track, frame, best)
            if _is_found(best) and abs(_place(best).roll) > ROLLED:
                places[index] = _place(best)
        for index, face in zip(places, self._looks.level(image, list(places.values())), strict=True):
            if _is_found(face):
                kept[index] = face
        return kept

    def _whole_turns(self, image: np.ndarray, frame: int, new_shot: bool) -> list[Place]:
        """Where the frame, looked at in eighth turns, may have faces."""
        if not new_shot and frame % TURN_EVERY:
            return []
        turns = range(1, 8) if new_shot else [1 + frame // TURN_EVERY % 7]
        return [
            place for eighths in turns for _, place in self._looks.whole(image, eighths)[: self._most.places]
        ]

    def _alike(self, image: np.ndarray, faces: Sequence[Detection]) -> list[Detection]:
        """The faces besides ``faces`` that are rolled as all of these are: the frame itself is turned."""
        eighths = {round(_place(face).roll / _EIGHTH) % 8 for face in faces}
        if len(eighths) != 1 or eighths == {0}:
            return []
        places = [place for _, place in self._looks.whole(image, *eighths)]
        new = [place for place in places if not any(_is_near(place, _place(face)) for face in faces)]
        return self._follow_hints(image, new[: self._most.alike], list(faces))

    def _follow_hints(self, image: np.ndarray, hints: list[Place], faces: list[Detection]) -> list[Detection]:
        """The rolled faces among ``hints`` that are clearly faces and not among ``faces``."""
        searched = self._looks.search(image, hints)
        places = [
            _place(face)
            for face in searched
            if face and face.score >= _CLEAR_COPY and abs(_place(face).roll) > ROLLED
        ]
        clear = [face for face in self._looks.level(image, places) if face and _is_clear(face)]
        return [face for face in _distinct(clear) if not _covered(face, faces)]


def _place(face: Detection | Track) -> Place:
    return Place.of(face.box, face.landmarks)


def _is_found(face: Detection | None) -> TypeGuard[Detection]:
    """Whether a look found a face."""
    return face is not None and face.score > SCORE_THRESHOLD


def _is_clear(face: Detection) -> bool:
    """Whether a detection is clearly a face."""
    return face.score >= CLEAR_SCORE and fit(face.box, face.landmarks) == 1


def _is_certain(face: Detection, tracks: Sequence[Track]) -> bool:
    """Whether a detection is clearly a face, or at the place of one."""
    track = _nearest(_place(face), tracks)
    return _is_clear(face) or (track is not None and track.id > 0)


def _note_check(track: Track, frame: int, found: Detection | None) -> None:
    """Note a check of a track and when the next is due: the sooner, the less is known about it."""
    track.checked = frame
    track.wait = CHECK_EVERY if _is_found(found) else min(max(2 * track.wait, FIRST_CHECK), CHECK_EVERY)


def _nearest(place: Place, tracks: Sequence[Track]) -> Track | None:
    """The track whose predicted place is nearest to ``place``, if near enough to be of the same face."""
    distances = [_distance(place, _place(track)) for track in tracks]
    if not distances or min(distances) > SAME_FACE * place.size:
        return None
    return tracks[distances.index(min(distances))]


def _distance(one: Place, other: Place) -> float:
    return float(np.linalg.norm(one.centre - other.centre))


def _is_near(one: Place, other: Place) -> bool:
    """Whether two places may be of the same face."""
    return _distance(one, other) <= SAME_FACE * max(one.size, other.size)


def _covered(face: Detection, others: Sequence[Detection]) -> bool:
    """Whether one of ``others`` shows the same face."""
    return any(overlap(face.box, other.box) > SAME_FACE for other in others)


def _holds(figure: Detection, faces: Sequence[Detection]) -> bool:
    """Whether one of ``faces`` lies in ``figure`` and is much smaller."""
    size = _INSIDE * _place(figure).size
    return any(_place(face).size < size and _covered(face, [figure]) for face in faces)


def _distinct(faces: Sequence[Detection | None]) -> list[Detection]:
    """The faces found by looks, each once: of two looks at one face the one with the higher score."""
    distinct: list[Detection] = []
    for face in sorted(filter(_is_found, faces), key=lambda face: -face.score):
        if not _covered(face, distinct):
            distinct.append(face)
    return distinct
