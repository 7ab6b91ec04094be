"""How far one picture is from another, pixel by pixel."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

#: PSNR of equal pictures, in dB: a number, so that means can be taken of it.
BEST_PSNR = 100.0
#: Of the five scales of :func:`ms_ssim`, from the finest (Wang et al., 2003, section 3.2).
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _DEVIATION = 11, 1.5


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


def ms_ssim(picture: np.ndarray, clean: np.ndarray) -> float:
    """Multi-scale structural similarity (Wang, Simoncelli and Bovik, 2003) of the lumas (BT.601) of two RGB
    pictures (H, W, 3) uint8 of at least 176 pixels, over five scales, each half of the one before: at most
    1. Structure that is inverted on the whole counts as none."""
    x, y = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float64) for p in (picture, clean))
    result = 1.0
    for scale, weight in enumerate(_WEIGHTS):
        if scale:
            x, y = (cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in (x, y))
        luminance, structure = _similarities(x, y)
        whole = luminance * structure if scale == len(_WEIGHTS) - 1 else structure
        result *= max(0.0, float(whole.mean())) ** weight
    return result


def _similarities(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The luminance term of SSIM and the product of its contrast and structure terms, where the window is
    whole (Wang et al., 2004, equations 6 and 13, with the constants that they give)."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    edge = _WINDOW // 2

    def local(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (_WINDOW, _WINDOW), _DEVIATION)[edge:-edge, edge:-edge]

    mean_x, mean_y = local(x), local(y)
    square_x, square_y, product = mean_x**2, mean_y**2, mean_x * mean_y
    spread = local(x * x) - square_x + local(y * y) - square_y
    together = local(x * y) - product
    luminance = (2 * product + c1) / (square_x + square_y + c1)
    return luminance, (2 * together + c2) / (spread + c2)
