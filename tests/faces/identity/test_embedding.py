"""The identity embedding: different people, the same person, and dlib's own way to crop a face."""

import cv2
import numpy as np
import pytest

from tests.support.portraits import aligned_portraits
from vidrestore.faces.identity.embedding import IdentityEmbedding, find_network

dlib = pytest.importorskip("dlib")


@pytest.fixture(scope="module")
def embed() -> IdentityEmbedding:
    return IdentityEmbedding()


def distance(embed: IdentityEmbedding, a: np.ndarray, b: np.ndarray) -> float:
    first, second = embed([a, b])
    return float(np.linalg.norm(first - second))


def test_different_people_are_distant(embed: IdentityEmbedding) -> None:
    assert distance(embed, *aligned_portraits().values()) > 0.65


@pytest.mark.parametrize("name", aligned_portraits())
def test_a_degraded_face_is_the_same_person(embed: IdentityEmbedding, name: str) -> None:
    face = aligned_portraits()[name]
    worse = cv2.GaussianBlur(face, (0, 0), 3)
    worst = cv2.GaussianBlur(face, (0, 0), 8)
    assert distance(embed, face, face) == 0
    assert 0 < distance(embed, face, worse) < 0.35
    assert distance(embed, face, worse) < distance(embed, face, worst)


@pytest.mark.parametrize("name", aligned_portraits())
def test_the_fixed_square_is_as_good_as_dlibs_own(embed: IdentityEmbedding, name: str) -> None:
    predictor = dlib.shape_predictor(str(find_network().with_name("shape_predictor_5_face_landmarks.dat")))
    network = dlib.face_recognition_model_v1(str(find_network()))
    face = aligned_portraits()[name]
    (box,) = dlib.get_frontal_face_detector()(face, 0)
    own = np.array(network.compute_face_descriptor(face, predictor(face, box)))
    assert np.linalg.norm(embed([face])[0] - own) < 0.3


def test_any_size_of_face(embed: IdentityEmbedding) -> None:
    face = aligned_portraits()["hopper"]
    assert distance(embed, face, cv2.resize(face, (256, 256), interpolation=cv2.INTER_AREA)) < 0.2


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidrestore.faces.identity.embedding.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "vidrestore\[persons\]"'):
        IdentityEmbedding()
