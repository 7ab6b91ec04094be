"""Looks of real faces: whose they are, and whether one is there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.support.moving import face_points
from tests.support.scenes import scene
from vidrestore.faces.tracking.appearance import PATCH, find, look

PLACE = (300, 200, 100)
LANDMARKS = face_points(*PLACE)[2:]
COLLINS = look(scene(("collins", *PLACE)), LANDMARKS)


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def worn(picture: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 15, picture.shape)
    noisy = np.clip(cv2.GaussianBlur(picture, (0, 0), 2) + noise, 0, 255).astype(np.uint8)
    return cv2.imdecode(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], cv2.IMREAD_COLOR)


def lit(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture * 1.3 + 15, 0, 255).astype(np.uint8)


CHANGES = {"none": lambda picture: picture, "worn": worn, "lit": lit}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("size", [24, 60, 150])
def test_a_face_looks_like_itself_and_not_like_another(size, change):
    place = (200, 180, size)
    likeness = {
        name: look(CHANGES[change](scene((name, *place))), face_points(*place)[2:]).vector @ COLLINS.vector
        for name in ("collins", "hopper")
    }
    assert likeness["collins"] > 0.8
    assert likeness["hopper"] < 0.62


def test_a_look_is_as_like_itself_as_can_be():
    assert COLLINS.vector @ COLLINS.vector == pytest.approx(1, abs=0.02)


def test_grey_faces_differ_in_structure_alone():
    looks = [look(grey(scene((name, *PLACE))), LANDMARKS) for name in ("collins", "hopper")]
    np.testing.assert_allclose(looks[0].colour, looks[1].colour, atol=0.02)
    assert looks[0].vector @ looks[1].vector < 0.8


@pytest.mark.parametrize("offset", [(0, 0), (7, 3), (-12, 9), (16, -16)])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("angle", [0, 25])
def test_a_face_is_found_nearby(angle, change, offset):
    """By how much it lies off where it is looked for, whichever way its head is held."""
    turn = cv2.getRotationMatrix2D(PLACE[:2], angle, 1)
    picture = cv2.warpAffine(scene(("collins", *PLACE)), turn, (640, 400))
    landmarks = cv2.transform(LANDMARKS[None], turn)[0]
    shift = find(CHANGES[change](picture), landmarks - offset, [COLLINS])
    np.testing.assert_allclose(shift, offset, atol=1.5)


NO_FACE = {
    "background": scene(),
    "another person": scene(("hopper", *PLACE)),
    "too far off": scene(("collins", 360, 200, 100)),
    "black": np.zeros((400, 640, 3), np.uint8),
    "wall": np.full((400, 640, 3), (110, 140, 190), np.uint8),
}


@pytest.mark.parametrize("picture", NO_FACE)
def test_where_it_is_not_none_is_found(picture):
    assert find(NO_FACE[picture], LANDMARKS, [COLLINS]) is None


def test_either_look_is_enough():
    hopper = look(NO_FACE["another person"], LANDMARKS)
    assert find(NO_FACE["another person"], LANDMARKS, [COLLINS, hopper]) is not None


@pytest.mark.parametrize("place", [(0, 0, 100), (640, 400, 60), (-500, 200, 100), (300, 200, 2)])
def test_a_face_beyond_the_edge_or_tiny_has_a_look(place):
    landmarks = face_points(*place)[2:]
    assert np.isfinite(look(scene(), landmarks).vector).all()
    shift = find(scene(), landmarks, [COLLINS])
    assert shift is None or np.isfinite(shift).all()


def test_landmarks_that_coincide_have_a_look():
    assert np.isfinite(look(scene(), np.full((5, 2), 200.0)).vector).all()


def test_only_the_patch_matters():
    """What lies a patch's width beside the face changes nothing."""
    picture = scene(("collins", *PLACE))
    side = PATCH * 3
    picture[:, : PLACE[0] - side] = 0
    np.testing.assert_array_equal(look(picture, LANDMARKS).vector, COLLINS.vector)
