"""Baselines without a neural network, which every model is compared with."""

from __future__ import annotations

import cv2
import numpy as np


def bicubic(face: np.ndarray, factor: float) -> np.ndarray:
    """Downscale ``face`` (S, S, 3) uint8 by ``factor``, averaging areas, and upscale it bicubically.

    The result keeps the detail of a face that was recorded ``factor`` times smaller, without noise and
    artefacts beyond that resolution.
    """
    side = face.shape[0]
    small = max(1, round(side / factor))
    reduced = cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(reduced, (side, side), interpolation=cv2.INTER_CUBIC)


def nlm_unsharp(face: np.ndarray) -> np.ndarray:
    """Denoise ``face`` (S, S, 3) RGB uint8 by non-local means and sharpen it by an unsharp mask.

    Non-local means (Buades et al., 2005): strength 4 in luma and colour, patches of 5 pixels, search window
    of 13 pixels. Unsharp mask: sigma 3 pixels, amount 0.5.
    """
    bgr = cv2.cvtColor(face, cv2.COLOR_RGB2BGR)
    smooth = cv2.cvtColor(cv2.fastNlMeansDenoisingColored(bgr, None, 4, 4, 5, 13), cv2.COLOR_BGR2RGB)
    return cv2.addWeighted(smooth, 1.5, cv2.GaussianBlur(smooth, (0, 0), 3), -0.5, 0)
