"""Appearances of real faces tell whose they are, and whether a face is at a place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.support.moving import face_points
from tests.support.scenes import scene
from vidrestore.faces.tracking.appearance import PATCH, Appearance, find_face

PLACE = (300, 200, 100)
LANDMARKS = face_points(*PLACE)[2:]
COLLINS = Appearance.of(scene(("collins", *PLACE)), LANDMARKS)


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def degraded(picture: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 15, picture.shape)
    noisy = np.clip(cv2.GaussianBlur(picture, (0, 0), 2) + noise, 0, 255).astype(np.uint8)
    return cv2.imdecode(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], cv2.IMREAD_COLOR)


def brighter(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture * 1.3 + 15, 0, 255).astype(np.uint8)


CHANGES = {"none": lambda picture: picture, "degraded": degraded, "brighter": brighter}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("size", [24, 60, 150])
def test_a_face_is_similar_to_itself_and_not_to_another(size, change):
    place = (200, 180, size)
    similarity = {
        name: Appearance.of(CHANGES[change](scene((name, *place))), face_points(*place)[2:]).vector
        @ COLLINS.vector
        for name in ("collins", "hopper")
    }
    assert similarity["collins"] > 0.8
    assert similarity["hopper"] < 0.62


def test_similarity_to_itself_is_one():
    assert COLLINS.vector @ COLLINS.vector == pytest.approx(1, abs=0.02)


def test_grey_faces_differ_in_structure_only():
    appearances = [Appearance.of(grey(scene((name, *PLACE))), LANDMARKS) for name in ("collins", "hopper")]
    np.testing.assert_allclose(appearances[0].colour, appearances[1].colour, atol=0.02)
    assert appearances[0].vector @ appearances[1].vector < 0.8


@pytest.mark.parametrize("offset", [(0, 0), (7, 3), (-12, 9), (16, -16)])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("angle", [0, 25])
def test_a_face_is_found_nearby(angle, change, offset):
    """The offset from the place of the search is returned, at any roll angle of the head."""
    turn = cv2.getRotationMatrix2D(PLACE[:2], angle, 1)
    picture = cv2.warpAffine(scene(("collins", *PLACE)), turn, (640, 400))
    landmarks = cv2.transform(LANDMARKS[None], turn)[0]
    shift = find_face(CHANGES[change](picture), landmarks - offset, [COLLINS])
    np.testing.assert_allclose(shift, offset, atol=1.5)


NO_FACE = {
    "background": scene(),
    "another person": scene(("hopper", *PLACE)),
    "too far away": scene(("collins", 360, 200, 100)),
    "black": np.zeros((400, 640, 3), np.uint8),
    "wall": np.full((400, 640, 3), (110, 140, 190), np.uint8),
}


@pytest.mark.parametrize("picture", NO_FACE)
def test_no_face_is_found_where_there_is_none(picture):
    assert find_face(NO_FACE[picture], LANDMARKS, [COLLINS]) is None


def test_one_of_several_appearances_is_enough():
    hopper = Appearance.of(NO_FACE["another person"], LANDMARKS)
    assert find_face(NO_FACE["another person"], LANDMARKS, [COLLINS, hopper]) is not None


@pytest.mark.parametrize("place", [(0, 0, 100), (640, 400, 60), (-500, 200, 100), (300, 200, 2)])
def test_a_face_outside_the_image_or_tiny_has_an_appearance(place):
    landmarks = face_points(*place)[2:]
    assert np.isfinite(Appearance.of(scene(), landmarks).vector).all()
    shift = find_face(scene(), landmarks, [COLLINS])
    assert shift is None or np.isfinite(shift).all()


def test_coinciding_landmarks_have_an_appearance():
    assert np.isfinite(Appearance.of(scene(), np.full((5, 2), 200.0)).vector).all()


def test_only_the_patch_matters():
    """Pixels more than the width of the patch away from the face have no effect."""
    picture = scene(("collins", *PLACE))
    side = PATCH * 3
    picture[:, : PLACE[0] - side] = 0
    np.testing.assert_array_equal(Appearance.of(picture, LANDMARKS).vector, COLLINS.vector)
    assert COLLINS.vector.dtype == np.float32
