"""Looks at turned copies of places, with the real detector and with one that says what a test says."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.support.moving import detection, face_points
from tests.support.scenes import scene
from tests.support.turning import moved, turned
from vidrestore.faces.detection.load import load_detector
from vidrestore.faces.detection.turned_looks import SIDE, Place, TurnedLooks
from vidrestore.faces.face import Detection
from vidrestore.faces.geometry import roll, roll_between

ANGLES = [*range(-150, 181, 30)]
SIZE = 110.0


@cache
def looks() -> TurnedLooks:
    return TurnedLooks(load_detector("retinaface_mobile0.25", "cpu"))


@cache
def lying(angle: int, size: float = SIZE) -> tuple[np.ndarray, Place, np.ndarray]:
    """A picture with a face rolled by ``angle`` degrees, its place, and its landmarks."""
    image, matrix = turned(scene(("collins", 320, 200, size)), angle)
    landmarks = moved(face_points(320, 200, size)[2:], matrix)
    return image, Place(moved(np.array([[320, 200]]), matrix)[0], size, np.radians(angle)), landmarks


def error(face: Detection | None, landmarks: np.ndarray) -> float:
    """Mean distance of the landmarks, as a share of the distance of the eyes."""
    assert face is not None
    distances = np.linalg.norm(face.landmarks - landmarks, axis=1)
    return float(distances.mean() / np.linalg.norm(landmarks[1] - landmarks[0]))


@pytest.mark.parametrize("angle", ANGLES)
def test_a_level_look_finds_the_landmarks(angle):
    image, place, landmarks = lying(angle)
    [face] = looks().level(image, [place])
    assert error(face, landmarks) < 0.18


@pytest.mark.parametrize("size", [40.0, 170.0])
@pytest.mark.parametrize("angle", [0, 90, 180])
def test_small_and_large_faces_are_found(angle, size):
    image, place, landmarks = lying(angle, size)
    [face] = looks().level(image, [place])
    assert error(face, landmarks) < 0.2


@pytest.mark.parametrize("expected", [0, 90, 180, 270])
@pytest.mark.parametrize("angle", [-70, 0, 20, 180])
def test_a_search_finds_the_roll_whatever_was_expected(angle, expected):
    image, place, _ = lying(angle)
    [face] = looks().search(image, [Place(place.centre, place.size, np.radians(expected))])
    assert face is not None
    assert roll_between(roll(face.landmarks), np.radians(angle)) < np.radians(20)


def test_places_at_the_edge_and_outside_of_the_image():
    places = [Place(np.array(centre), 80.0, 1.0) for centre in ((0.0, 0.0), (639.0, 399.0), (-500.0, 900.0))]
    assert looks().search(scene(), places) == [None] * 3
    assert looks().level(scene(), places) == [None] * 3


def test_nothing_is_looked_at_without_places():
    def refuse(images: np.ndarray) -> list[list[Detection]]:
        raise AssertionError

    assert TurnedLooks(refuse).level(scene(), []) == TurnedLooks(refuse).search(scene(), []) == []


@pytest.mark.parametrize(("other", "wins"), [(0.97, False), (0.999, True)])
def test_another_turn_must_score_clearly_higher(other, wins):
    """The copy at the expected roll is the first of four, the one a quarter turn on the second."""

    def detector(images: np.ndarray) -> list[list[Detection]]:
        quarter = SIDE // 4
        faces = [
            detection(quarter, quarter, 60, score=0.96),
            detection(3 * quarter, quarter, 60, score=other),
        ]
        return [sorted(faces, key=lambda face: -face.score) for _ in images]

    [face] = TurnedLooks(detector).search(scene(), [Place(np.array([320.0, 200.0]), 100.0, 0.0)])
    assert face is not None
    assert np.degrees(roll(face.landmarks)) == pytest.approx(90 if wins else 0, abs=1)


def test_a_face_beside_the_place_is_not_the_one_that_was_expected():
    def detector(images: np.ndarray) -> list[list[Detection]]:
        return [[detection(SIDE / 2 + 70, SIDE / 2, 112)] for _ in images]

    assert TurnedLooks(detector).level(scene(), [Place(np.array([320.0, 200.0]), 100.0, 0.0)]) == [None]
