"""Detection with the embedded weights on a real picture, and the election of one box a face."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest
import torch

from vidrestore.faces.detection.box_voting import vote, winners
from vidrestore.faces.detection.detector import RetinaFaceDetector
from vidrestore.faces.detection.retinaface import CandidateNetwork
from vidrestore.faces.face import Detection
from vidrestore.weights.store import load_state

# Of scikit-image's 512 x 512 astronaut, by eye: both eyes' centres, the nose's tip, the mouth's corners.
LANDMARKS = np.array([[204, 101], [248, 103], [224, 127], [203, 140], [243, 141]])


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return load_state("retinaface_mobile0.25")[0]


@pytest.fixture(scope="module")
def detector(state) -> RetinaFaceDetector:
    return RetinaFaceDetector("mobile0.25", state)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[..., ::-1])


def resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def same(a: list[Detection], b: list[Detection], tolerance: float) -> None:
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


def test_two_faces_beside_each_other(detector, astronaut):
    face = astronaut[20:220, 120:320]
    picture = np.hstack([face, face[:, ::-1]])
    left, right = sorted(detector(picture[None])[0], key=lambda found: found.box[0])
    mirrored = (400 - right.landmarks[:, 0])[[1, 0, 2, 4, 3]]
    np.testing.assert_allclose(mirrored, left.landmarks[:, 0], atol=3)


@pytest.mark.parametrize("size", [(333, 257), (257, 333), (321, 320), (512, 400)])
def test_odd_sizes(detector, astronaut, size):
    (found,) = detector(resized(astronaut, *size)[None])[0]
    expected = LANDMARKS * (size[0] / 512, size[1] / 512)
    assert np.abs(found.landmarks - expected).max() < 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (5, 960), (33, 32)])
def test_pictures_too_small_for_a_face(detector, shape):
    assert detector(np.full((2, *shape, 3), 128, np.uint8)) == [[], []]


def test_pictures_without_a_face(detector, astronaut):
    rng = np.random.default_rng(0)
    pictures = [
        np.zeros((200, 300, 3), np.uint8),
        np.full((200, 300, 3), 255, np.uint8),
        rng.integers(0, 255, (200, 300, 3)).astype(np.uint8),
        astronaut[280:480, 100:400],
    ]
    assert detector(np.stack(pictures)) == [[]] * 4


def test_a_batch_finds_what_single_pictures_do(detector, astronaut):
    pictures = [astronaut, np.zeros_like(astronaut), astronaut[:, ::-1], np.roll(astronaut, 90, axis=1)]
    together = detector(np.stack(pictures))
    assert [len(found) for found in together] == [1, 0, 1, 1]
    for picture, found in zip(pictures, together, strict=True):
        same(found, detector(picture[None])[0], tolerance=1e-2)


def test_the_same_anchors_as_facexlib(state, astronaut):
    """Folding, layout and cached anchors change nothing: its own detection is among our candidates."""
    from facexlib.detection.retinaface import RetinaFace

    theirs = RetinaFace("mobile0.25", device=torch.device("cpu"))
    theirs.load_state_dict(state)
    picture = resized(astronaut, 401, 299)
    with torch.no_grad():
        (box,) = theirs.detect_faces(picture)
    found = CandidateNetwork("mobile0.25", state, device=torch.device("cpu"))(picture[None], 0.3)
    best = int(found.scores.argmax())
    ours = np.concatenate([found.boxes[best], found.scores[best : best + 1], found.landmarks[best].ravel()])
    np.testing.assert_allclose(ours, box, atol=1e-2)


def test_resnet50_takes_the_published_file_s_keys(astronaut):
    from facexlib.detection.retinaface import RetinaFace

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        published = RetinaFace("resnet50", device=torch.device("cpu")).state_dict()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector = RetinaFaceDetector("resnet50", {f"module.{k}": v for k, v in published.items()})
    assert len(detector(resized(astronaut, 64, 64)[None])) == 1


def test_weights_of_another_network(state):
    with pytest.raises(RuntimeError, match="state_dict"):
        RetinaFaceDetector("resnet50", state)


# Boxes with scores, and which of them stand for a face each. All in one picture unless said otherwise.
ELECTIONS = {
    "one": ([(0, 0, 100, 120)], [0.9], [0]),
    "too weak": ([(0, 0, 100, 120)], [0.4], []),
    "the best of many": ([(0, 0, 100, 120), (5, 4, 105, 124), (-6, 2, 94, 118)], [0.8, 0.9, 0.7], [1]),
    "two faces": ([(0, 0, 100, 120), (110, 0, 210, 120)], [0.8, 0.9], [1, 0]),
    "cheek to cheek": ([(0, 0, 100, 120), (70, 0, 170, 120)], [0.8, 0.9], [1, 0]),
    "a part of the face": ([(0, 0, 300, 360), (60, 40, 180, 200)], [0.99, 0.8], [0]),
    "more than the face": ([(0, 0, 300, 360), (60, 40, 180, 200)], [0.8, 0.99], [1]),
    "large, shifted": ([(0, 0, 500, 600), (150, 80, 620, 640)], [0.99, 0.9], [0]),
    "none": ([], [], []),
}


@pytest.mark.parametrize("name", ELECTIONS)
def test_one_winner_a_face(name):
    boxes, scores, expected = ELECTIONS[name]
    image = torch.zeros(len(boxes), dtype=torch.int64)
    boxes, scores = torch.tensor(boxes, dtype=torch.float32).view(-1, 4), torch.tensor(scores)
    assert winners(image, boxes, scores, 0.5).tolist() == expected


def test_pictures_elect_apart():
    boxes = torch.tensor([[0.0, 0, 100, 120]] * 2)
    assert sorted(winners(torch.tensor([0, 1]), boxes, torch.tensor([0.9, 0.8]), 0.5).tolist()) == [0, 1]


def test_votes_are_weighted_by_score_and_only_of_the_same_face():
    boxes = torch.tensor([[0.0, 0, 100, 100], [0, 0, 100, 90], [60, 0, 160, 100]])
    values = torch.tensor([[10.0, 1.0], [20.0, 2.0], [1000.0, 1000.0]])
    result = vote(boxes[0], boxes, torch.tensor([0.9, 0.3, 0.9]), values)
    np.testing.assert_allclose(result, [12.5, 1.25])


def test_voting_holds_landmarks_stiller(state, detector, astronaut):
    """A still face in a large picture with a little noise: the best anchor changes, the votes hardly."""
    network = CandidateNetwork("mobile0.25", state, device=torch.device("cpu"))
    rng = np.random.default_rng(0)
    still = cv2.resize(astronaut[20:220, 120:320], (400, 400), interpolation=cv2.INTER_CUBIC)
    picked, voted = [], []
    for _ in range(12):
        picture = np.clip(still + rng.normal(0, 5, still.shape), 0, 255).astype(np.uint8)[None]
        found = network(picture, 0.3)
        picked.append(found.landmarks[found.scores.argmax()].numpy())
        voted.append(detector(picture)[0][0].landmarks)
    assert np.std(voted, axis=0).mean() < 0.6 * np.std(picked, axis=0).mean()
