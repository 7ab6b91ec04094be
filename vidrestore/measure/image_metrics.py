"""PSNR, SSIM and MS-SSIM of image pairs."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

#: PSNR of equal images, in dB: finite, so that means can be computed.
BEST_PSNR = 100.0
#: Weights of the five scales of :func:`ms_ssim`, finest first (Wang et al., 2003, section 3.2).
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _DEVIATION = 11, 1.5


def psnr(image: np.ndarray, clean: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in dB of two images (H, W, 3) uint8, at most :data:`BEST_PSNR`.

    The squared error is averaged over the three channels; the peak is 255.
    """
    if np.array_equal(image, clean):
        return BEST_PSNR
    return min(BEST_PSNR, float(peak_signal_noise_ratio(clean, image, data_range=255)))


def ssim(image: np.ndarray, clean: np.ndarray) -> float:
    """Return the structural similarity (Wang et al., 2004) of two RGB images (H, W, 3) uint8, at most 1.

    It is computed of the luma (BT.601), with the paper's Gaussian window of 11 pixels and sigma 1.5.
    """
    result: Any = structural_similarity(
        cv2.cvtColor(clean, cv2.COLOR_RGB2GRAY),
        cv2.cvtColor(image, cv2.COLOR_RGB2GRAY),
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(result)


def ms_ssim(image: np.ndarray, clean: np.ndarray) -> float:
    """Return the multi-scale structural similarity (Wang, Simoncelli and Bovik, 2003) of two RGB images
    (H, W, 3) uint8 of at least 176 x 176 pixels, at most 1.

    It is computed of the luma (BT.601) at five scales, each half as large as the one before. A scale whose
    mean structure is negative counts as 0.
    """
    x, y = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float64) for p in (image, clean))
    result = 1.0
    for scale, weight in enumerate(_WEIGHTS):
        if scale:
            x, y = (cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in (x, y))
        luminance, structure = _similarities(x, y)
        term = luminance * structure if scale == len(_WEIGHTS) - 1 else structure
        result *= max(0.0, float(term.mean())) ** weight
    return result


def _similarities(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the luminance term of SSIM and the product of its contrast and structure terms, at the pixels
    whose window lies inside the image (Wang et al., 2004, equations 6 and 13, with the paper's constants)."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    edge = _WINDOW // 2

    def local(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (_WINDOW, _WINDOW), _DEVIATION)[edge:-edge, edge:-edge]

    mean_x, mean_y = local(x), local(y)
    square_x, square_y, product = mean_x**2, mean_y**2, mean_x * mean_y
    variances = local(x * x) - square_x + local(y * y) - square_y
    covariance = local(x * y) - product
    luminance = (2 * product + c1) / (square_x + square_y + c1)
    return luminance, (2 * covariance + c2) / (variances + c2)
