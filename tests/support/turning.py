"""Pictures turned clockwise, and what was in them."""

from __future__ import annotations

import cv2
import numpy as np

GREY = (48, 48, 48)


def turned(image: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """``image`` (H, W, 3) turned clockwise around its middle on a grey square that holds all of it, and the
    matrix (2, 3) from its points to those of the result."""
    height, width = image.shape[:2]
    side = int(np.ceil(np.hypot(height, width)))
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cos, -sin], [sin, cos]])
    matrix = np.column_stack([turn, (side / 2, side / 2) - turn @ (width / 2, height / 2)])
    # OpenCV puts the origin at the centre of the first pixel, not at its corner.
    warp = matrix.copy()
    warp[:, 2] += turn.sum(axis=1) / 2 - 0.5
    return cv2.warpAffine(image, warp, (side, side), borderValue=GREY), matrix


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """``points`` (N, 2) of the picture, in the turned one."""
    return points @ matrix[:, :2].T + matrix[:, 2]
