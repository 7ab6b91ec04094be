"""The faces of one picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from tests.support import photos
from vidrestore.faces.detection.load import load_detector
from vidrestore.media.photo.picture import picture_of
from vidrestore.stages.still_faces import aligned_face, find_faces, nearest_to_centre


@pytest.fixture(scope="module")
def detector():
    return load_detector("retinaface_mobile0.25", torch.device("cpu"), hints=True)


@pytest.fixture(scope="module")
def two() -> np.ndarray:
    """A large face to the right and a small one to the left, in the middle of the height."""
    scene = np.full((300, 640, 3), 120, np.uint8)
    scene[20:280, 360:620] = photos.face(260)
    scene[80:220, 60:200] = photos.face(140)
    return scene


def test_faces_are_numbered_from_the_left(detector, two):
    faces = find_faces(picture_of(two), detector)
    assert [face.track for face in faces] == [1, 2]
    assert faces[0].box[2] < 200 < 360 < faces[1].box[0]
    [mirrored, _] = find_faces(picture_of(two), detector, mirrored=True)
    assert mirrored.box[0] > 360


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_faces_are_found_upright(detector, two, orientation):
    turns = {3: 2, 6: 1, 8: 3}[orientation]
    stored = np.ascontiguousarray(np.rot90(two, turns))
    upright, turned = (
        find_faces(picture, detector) for picture in (picture_of(two), picture_of(stored, orientation))
    )
    for expected, found in zip(upright, turned, strict=True):
        assert np.abs(expected.landmarks - found.landmarks).max() < 4


def grid(side: int, size: int, count: int) -> np.ndarray:
    """(side, side, 3) uint8 RGB with ``count`` times ``count`` portraits of ``size`` pixels."""
    picture = np.full((side, side, 3), 120, np.uint8)
    for y in range(count):
        for x in range(count):
            top, left = ((2 * at + 1) * side // (2 * count) - size // 2 for at in (y, x))
            picture[top : top + size, left : left + size] = photos.face(size)
    return picture


@pytest.mark.parametrize("turns", [1, 2])
@pytest.mark.parametrize(
    ("side", "size", "count"), [(960, 260, 3), (2400, 90, 4)], ids=["nine large ones", "small ones in tiles"]
)
def test_every_face_of_a_turned_photo_is_found_upright(detector, turns, side, size, count):
    """As of a group whose picture lay the wrong way up in the scanner."""
    picture = grid(side, size, count)
    upright = find_faces(picture_of(picture), detector)
    assert len(upright) == count**2
    found = find_faces(picture_of(np.ascontiguousarray(np.rot90(picture, turns))), detector)
    assert len(found) == count**2
    expected = np.stack([face.landmarks for face in upright])
    for face in found:
        x, y = face.landmarks.T
        back = np.stack({1: (side - y, x), 2: (side - x, side - y)}[turns], axis=1)
        distances = np.linalg.norm(expected - back, axis=2).mean(axis=1)
        eyes = np.linalg.norm(expected[0, 1] - expected[0, 0])
        assert distances.min() < 0.25 * eyes


def test_small_faces_of_a_large_photo_are_found(detector):
    scene = np.full((1500, 2880, 3), 120, np.uint8)
    scene = cv2.GaussianBlur(scene, (0, 0), 2)
    places = [(100, 100), (1400, 700), (2600, 1200), (860, 720)]  # the last lies across edges of tiles
    for x, y in places:
        scene[y : y + 200, x : x + 200] = photos.face(200)
    faces = find_faces(picture_of(scene), detector)
    centres = [((face.box[:2] + face.box[2:]) / 2).tolist() for face in faces]
    assert len(faces) == len(places)
    for x, y in places:
        assert min(np.hypot(cx - x - 100, cy - y - 70) for cx, cy in centres) < 40


def test_a_picture_without_faces_has_none(detector):
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    assert find_faces(picture_of(noise), detector) == []


def test_the_face_nearest_to_the_middle(detector, two):
    faces = find_faces(picture_of(two), detector)
    assert nearest_to_centre(faces, (640, 300)) == [faces[1]]
    assert nearest_to_centre([], (640, 300)) == []


def test_an_aligned_face_lies_on_the_template():
    face = aligned_face(picture_of(np.zeros((256, 256, 3), np.uint8)))
    assert face.landmarks[2] == pytest.approx((128.3, 157), abs=0.1)
    assert (face.landmarks > face.box[:2]).all()
    assert (face.landmarks < face.box[2:]).all()
