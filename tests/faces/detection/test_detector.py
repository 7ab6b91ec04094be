"""Detection with the embedded weights in a real photograph."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest
import torch

from vidrestore.faces.detection.detector import RetinaFaceDetector
from vidrestore.faces.face import Detection

# In the 512 x 512 astronaut, placed by eye: centres of the eyes, tip of the nose, corners of the mouth.
LANDMARKS = np.array([[204, 101], [248, 103], [224, 127], [203, 140], [243, 141]])


def resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def assert_same(a: list[Detection], b: list[Detection], tolerance: float) -> None:
    assert len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one.box, other.box, atol=tolerance)
        np.testing.assert_allclose(one.landmarks, other.landmarks, atol=tolerance)
        assert one.score == pytest.approx(other.score, abs=1e-3)


@pytest.mark.parametrize("scale", [0.4, 0.6, 1.0, 1.5, 1.8])
def test_a_face_is_found_at_any_scale(detector, astronaut, scale):
    side = round(512 * scale)
    (found,) = detector(resized(astronaut, side, side)[None])[0]
    face = found.scaled(512 / side, 512 / side)
    between_eyes = np.linalg.norm(LANDMARKS[1] - LANDMARKS[0])
    assert np.linalg.norm(face.landmarks - LANDMARKS, axis=1).max() < 0.1 * between_eyes
    assert found.score > 0.95
    assert (face.box[:2] < LANDMARKS.min(0)).all()
    assert (face.box[2:] > LANDMARKS.max(0)).all()
    assert face.box.dtype == face.landmarks.dtype == np.float32


def test_two_adjacent_faces(detector, astronaut):
    face = astronaut[20:220, 120:320]
    picture = np.hstack([face, face[:, ::-1]])
    left, right = sorted(detector(picture[None])[0], key=lambda found: found.box[0])
    mirrored = (400 - right.landmarks[:, 0])[[1, 0, 2, 4, 3]]
    np.testing.assert_allclose(mirrored, left.landmarks[:, 0], atol=3)


@pytest.mark.parametrize("size", [(333, 257), (257, 333), (321, 320), (512, 400)])
def test_sizes_that_are_no_multiple_of_the_stride(detector, astronaut, size):
    (found,) = detector(resized(astronaut, *size)[None])[0]
    expected = LANDMARKS * (size[0] / 512, size[1] / 512)
    assert np.abs(found.landmarks - expected).max() < 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (5, 960), (33, 32)])
def test_no_face_in_tiny_images(detector, shape):
    assert detector(np.full((2, *shape, 3), 128, np.uint8)) == [[], []]


def test_no_face_in_images_without_one(detector, astronaut):
    rng = np.random.default_rng(0)
    pictures = [
        np.zeros((200, 300, 3), np.uint8),
        np.full((200, 300, 3), 255, np.uint8),
        rng.integers(0, 255, (200, 300, 3)).astype(np.uint8),
        astronaut[280:480, 100:400],
    ]
    assert detector(np.stack(pictures)) == [[]] * 4


def test_a_batch_gives_the_detections_of_its_single_images(detector, astronaut):
    pictures = [astronaut, np.zeros_like(astronaut), astronaut[:, ::-1], np.roll(astronaut, 90, axis=1)]
    together = detector(np.stack(pictures))
    assert [len(found) for found in together] == [1, 0, 1, 1]
    for picture, found in zip(pictures, together, strict=True):
        assert_same(found, detector(picture[None])[0], tolerance=1e-2)


def test_resnet50_accepts_the_keys_of_the_published_file(astronaut):
    from facexlib.detection.retinaface import RetinaFace

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        published = RetinaFace("resnet50", device=torch.device("cpu")).state_dict()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector = RetinaFaceDetector("resnet50", {f"module.{k}": v for k, v in published.items()})
    assert len(detector(resized(astronaut, 64, 64)[None])) == 1


def test_weights_of_another_network_are_refused(state):
    with pytest.raises(RuntimeError, match="state_dict"):
        RetinaFaceDetector("resnet50", state)
