"""PSNR, SSIM and MS-SSIM, compared with closed forms and with torchmetrics."""

import math

import cv2
import numpy as np
import pytest
import torch
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from vidrestore.measure.image_metrics import BEST_PSNR, ms_ssim, psnr, ssim


def flat(value: int) -> np.ndarray:
    return np.full((32, 32, 3), value, np.uint8)


def noisy(sigma: float, size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """A smooth image and the same image with noise."""
    y, x = np.mgrid[:size, :size] / 96
    clean = np.stack([120 + 90 * np.sin(9 * x), 130 + 80 * np.cos(7 * y), 100 + 80 * x * y], axis=-1)
    noise = np.random.default_rng(0).normal(0, sigma, clean.shape)
    return clean.astype(np.uint8), np.clip(clean + noise, 0, 255).astype(np.uint8)


def test_psnr_of_an_offset() -> None:
    assert psnr(flat(107), flat(100)) == pytest.approx(20 * math.log10(255 / 7))


def test_psnr_averages_over_channels() -> None:
    one_channel = flat(100)
    one_channel[..., 1] += 7
    assert psnr(one_channel, flat(100)) == pytest.approx(20 * math.log10(255 / 7) + 10 * math.log10(3))


def test_psnr_of_equal_images_is_finite() -> None:
    assert psnr(flat(9), flat(9)) == BEST_PSNR


def test_ssim_of_flat_images() -> None:
    """Without structure only the luminance term remains (Wang et al., 2004, equation 6)."""
    c1 = (0.01 * 255) ** 2
    wanted = (2 * 100 * 140 + c1) / (100**2 + 140**2 + c1)
    assert ssim(flat(100), flat(140)) == pytest.approx(wanted)
    assert ssim(flat(100), flat(100)) == pytest.approx(1)


@pytest.mark.parametrize("sigma", [4.0, 25.0])
def test_psnr_and_ssim_agree_with_torchmetrics(sigma: float) -> None:
    clean, damaged = noisy(sigma)
    a, b = (torch.from_numpy(p).permute(2, 0, 1)[None].float() for p in (damaged, clean))
    assert psnr(damaged, clean) == pytest.approx(
        peak_signal_noise_ratio(a, b, data_range=255.0).item(), abs=1e-3
    )
    lumas = (
        torch.from_numpy(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY))[None, None].float() for p in (damaged, clean)
    )
    _, everywhere = structural_similarity_index_measure(
        *lumas, data_range=255.0, sigma=1.5, return_full_image=True
    )
    inside = everywhere[..., 5:-5, 5:-5]  # where the window is inside the image
    assert ssim(damaged, clean) == pytest.approx(inside.mean().item(), abs=1e-4)


@pytest.mark.parametrize("sigma", [4.0, 25.0, 80.0])
def test_ms_ssim_agrees_with_torchmetrics(sigma: float) -> None:
    clean, damaged = noisy(sigma, 256)
    lumas = (
        torch.from_numpy(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY))[None, None].float() for p in (damaged, clean)
    )
    wanted = multiscale_structural_similarity_index_measure(*lumas, data_range=255.0, sigma=1.5)
    # torchmetrics also averages windows that extend beyond the border, by reflection.
    assert ms_ssim(damaged, clean) == pytest.approx(wanted.item(), abs=2e-3)
    assert ms_ssim(clean, clean) == pytest.approx(1)


def test_ms_ssim_of_flat_images() -> None:
    """Only the last scale has a luminance term (Wang et al., 2003, equation 7)."""
    a, b = (np.full((200, 200, 3), value, np.uint8) for value in (100, 140))
    c1 = (0.01 * 255) ** 2
    wanted = (2 * 100 * 140 + c1) / (100**2 + 140**2 + c1)
    assert ms_ssim(a, b) == pytest.approx(wanted**0.1333)


def test_ssim_ignores_colour() -> None:
    clean, _ = noisy(0)
    grey = cv2.cvtColor(cv2.cvtColor(clean, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert ssim(grey, clean) == pytest.approx(1, abs=1e-3)
    assert psnr(grey, clean) < 20
