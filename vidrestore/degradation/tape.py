"""Artefacts of interlaced, taped and broadcast video: combing, smeared colours, noise along the lines, and
the results of denoisers and sharpeners."""

from __future__ import annotations

import cv2
import numpy as np

#: R'G'B' to luma and two colour differences (ITU-R BT.601), each in [-255, 255].
_TO_YUV = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)
_TO_RGB = np.linalg.inv(_TO_YUV).astype(np.float32)


def comb(image: np.ndarray, motion: float) -> np.ndarray:
    """Weave the two fields of an image (H, W, 3) float32 that moved ``motion`` pixels to the right between
    them: even lines show it half of that earlier, odd lines half of that later."""
    woven = image.copy()
    for first, shift in ((0, -motion / 2), (1, motion / 2)):
        woven[first::2] = _shift_lines(image, np.full(len(image), shift))[first::2]
    return woven


def tape(image: np.ndarray, strength: float, rng: np.random.Generator, *, mono: bool) -> np.ndarray:
    """Add the artefacts of a home video tape (VHS) to an image.

    Tape records colour with about a tenth of the horizontal detail of luma, and displaced; luma is soft
    horizontally; the noise of both is correlated along the lines; and lines start slightly early or late.

    Args:
        image: (H, W, 3) RGB float in [0, 255].
        strength: 0 to 1.
        rng: The source of randomness.
        mono: The image is monochrome, and stays so.

    Returns:
        (H, W, 3) RGB float32; values may exceed [0, 255].
    """
    height, width = image.shape[:2]
    yuv = cv2.transform(image.astype(np.float32), _TO_YUV)
    luma, colour = yuv[..., :1], yuv[..., 1:]
    luma = cv2.GaussianBlur(luma, (0, 0), 0.3 + 0.6 * strength, sigmaY=0.3)[..., None]
    luma = luma + strength * (
        7 * _line_noise(rng, (height, width, 1), 1.2) + 1.5 * rng.normal(size=(height, 1, 1))
    )
    colour = cv2.GaussianBlur(colour, (0, 0), 0.5 + 3.0 * strength, sigmaY=0.3 + 0.7 * strength)
    colour = _shift_lines(colour, np.full(height, strength * rng.normal(0, 1.0)))
    if not mono:
        colour = colour + 9 * strength * _line_noise(rng, (height, width, 2), 3.0)
    yuv = np.dstack([luma, colour]).astype(np.float32)
    yuv = _shift_lines(yuv, rng.normal(0, 0.35 * strength, height))
    return cv2.transform(yuv, _TO_RGB)


def denoise(image: np.ndarray, strength: float) -> np.ndarray:
    """Smooth differences of up to about ``strength`` levels in an image (H, W, 3) uint8 and keep its edges,
    as denoisers of broadcasts do (a bilateral filter, Tomasi and Manduchi, ICCV 1998)."""
    return cv2.bilateralFilter(np.ascontiguousarray(image), 7, strength, 1.8)


def sharpen(image: np.ndarray, amount: float) -> np.ndarray:
    """Apply unsharp masking to an image (H, W, 3) uint8; ``amount`` is the factor of the added detail."""
    soft = cv2.GaussianBlur(image, (0, 0), 1.2)
    return cv2.addWeighted(image, 1 + amount, soft, -amount, 0)


def _shift_lines(image: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Shift each line of (H, W, C) float32 to the right by its element of ``shifts`` (H,), in pixels."""
    height, width = image.shape[:2]
    x = np.arange(width, dtype=np.float32)[None] - shifts.astype(np.float32)[:, None]
    y = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _line_noise(rng: np.random.Generator, shape: tuple[int, int, int], length: float) -> np.ndarray:
    """Noise (H, W, C) of unit deviation, correlated over about ``length`` pixels along each line."""
    noise = rng.normal(size=shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), length, sigmaY=0.3).reshape(shape)
    return noise / max(float(noise.std()), 1e-6)
