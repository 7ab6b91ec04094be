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
