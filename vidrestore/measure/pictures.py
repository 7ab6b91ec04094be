"""How far one picture is from another, pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

#: PSNR of equal pictures, in dB: a number, so that means can be taken of it.
BEST_PSNR = 100.0


def psnr(picture: np.ndarray, clean: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two pictures (H, W, 3) uint8: the squared error is averaged
    over all three channels, the peak is 255. At most :data:`BEST_PSNR`."""
    if np.array_equal(picture, clean):
        return BEST_PSNR
    return min(BEST_PSNR, float(peak_signal_noise_ratio(clean, picture, data_range=255)))


def ssim(picture: np.ndarray, clean: np.ndarray) -> float:
    """Structural similarity (Wang et al., 2004) of the lumas (BT.601) of two RGB pictures (H, W, 3)
    uint8, with the paper's Gaussian window of 11 pixels and deviation 1.5: at most 1."""
    lumas = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (clean, picture))
    return float(
        structural_similarity(
            *lumas, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )
