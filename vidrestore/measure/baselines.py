"""What can be done to a face without a network: what every model is held against."""

from __future__ import annotations

import cv2
import numpy as np


def bicubic(face: np.ndarray, factor: float) -> np.ndarray:
    """``face`` (S, S, 3) uint8 reduced by ``factor``, averaging areas, and enlarged again by bicubic
    interpolation: what is left of a face that was taken ``factor`` times smaller, without the noise and
    the artefacts that lie beyond its resolution."""
    side = face.shape[0]
    small = max(1, round(side / factor))
    reduced = cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(reduced, (side, side), interpolation=cv2.INTER_CUBIC)


def nlm_unsharp(face: np.ndarray) -> np.ndarray:
    """``face`` (S, S, 3) RGB uint8 denoised by non-local means (Buades et al., 2005; strength 4 in luma and
    colour, patches of 5 pixels within 13) and sharpened by an unsharp mask (deviation 3, amount .5)."""
    bgr = cv2.cvtColor(face, cv2.COLOR_RGB2BGR)
    smooth = cv2.cvtColor(cv2.fastNlMeansDenoisingColored(bgr, None, 4, 4, 5, 13), cv2.COLOR_BGR2RGB)
    return cv2.addWeighted(smooth, 1.5, cv2.GaussianBlur(smooth, (0, 0), 3), -0.5, 0)
