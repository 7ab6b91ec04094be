"""The identity loss: it is small for the same person, and it looks at the face alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from tests.support.portraits import aligned_portraits
from vidrestore.errors import UsageError
from vidrestore.faces.identity.embedding import IdentityEmbedding, identity_square
from vidrestore.training.identity import IdentityLoss
from vidrestore.training.image_loss import cut_square

pytest.importorskip("dlib")


def square(face: np.ndarray) -> torch.Tensor:
    x = torch.from_numpy(face).permute(2, 0, 1)[None] / 127.5 - 1
    return cut_square(x, identity_square(len(face)))


def test_it_is_the_identity_distance() -> None:
    one, other = aligned_portraits().values()
    blurred = cv2.GaussianBlur(one, (0, 0), 4)
    loss, embed = IdentityLoss(), IdentityEmbedding()
    for face in (blurred, other):
        expected = float(np.linalg.norm(np.subtract(*embed([face, one]))))
        assert loss(square(face), square(one)).item() == pytest.approx(expected, abs=0.05)


def test_a_smaller_set_of_faces_has_the_same_square() -> None:
    one, other = aligned_portraits().values()
    loss = IdentityLoss()
    expected = loss(square(one), square(other)).item()
    halves = (cv2.resize(face, (256, 256), interpolation=cv2.INTER_AREA) for face in (one, other))
    assert loss(*map(square, halves)).item() == pytest.approx(expected, abs=0.05)


def test_equal_faces_have_no_loss_and_a_finite_gradient() -> None:
    clean = square(next(iter(aligned_portraits().values())))
    x = clean.clone().requires_grad_()
    loss = IdentityLoss()(x, clean)
    loss.backward()
    assert loss.item() < 0.01
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_it_is_there_if_it_has_a_weight() -> None:
    assert IdentityLoss.wanted({"identity": 0.0}) is None
    assert IdentityLoss.wanted({"identity": 0.1}) is not None


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidrestore.faces.identity.embedding.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'pip install "vidrestore\[train\]", or set identity to 0'):
        IdentityLoss()
