"""The baselines: what bicubic rescaling and non-local means do to a face."""

import cv2
import numpy as np
import pytest

from tests.support.portraits import aligned_portraits
from vidrestore.measure.baselines import bicubic, nlm_unsharp
from vidrestore.measure.image_metrics import psnr


@pytest.fixture
def face() -> np.ndarray:
    return aligned_portraits()["hopper"]


def test_bicubic_at_full_size_changes_nothing(face: np.ndarray) -> None:
    assert np.array_equal(bicubic(face, 1.0), face)


def test_bicubic_keeps_only_the_detail_of_the_small_image(face: np.ndarray) -> None:
    """An image of low resolution stays as it is; a grid finer than its pixels disappears."""
    small = bicubic(face, 4.0)
    grid = 20 * (np.indices(face.shape[:2]).sum(0) % 2)[..., None]
    gridded = np.clip(small.astype(int) + grid - 10, 0, 255).astype(np.uint8)
    assert psnr(bicubic(small, 4.0), small) > 35
    assert psnr(bicubic(gridded, 4.0), small) > 35 > psnr(gridded, small)


def test_nlm_removes_noise_and_unsharp_adds_contrast(face: np.ndarray) -> None:
    noisy = np.random.default_rng(0).normal(128, 3, (64, 64, 3)).astype(np.uint8)
    assert nlm_unsharp(noisy).std() < 0.5 * noisy.std()
    soft = cv2.GaussianBlur(face, (0, 0), 2)
    contrast = [cv2.Laplacian(p.astype(np.float32), cv2.CV_32F).std() for p in (soft, nlm_unsharp(soft))]
    assert contrast[1] > 1.2 * contrast[0]
