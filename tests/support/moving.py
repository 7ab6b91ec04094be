"""Synthetic detections of moving faces, and measures of the error and jitter of a path."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vidrestore.faces.face import Detection

#: Corners of the box, then landmarks, of a face of size 1 centred at (0, 0).
SHAPE = np.array(
    [[-0.42, -0.6], [0.42, 0.6], [-0.2, -0.15], [0.2, -0.15], [0.0, 0.08], [-0.16, 0.3], [0.16, 0.3]]
)


def face_points(x: float, y: float, size: float = 100.0) -> np.ndarray:
    """The corners of the box and the landmarks, (7, 2) float64, of a face centred at (x, y)."""
    return SHAPE * size + (x, y)


def detection(x: float, y: float = 200.0, size: float = 100.0, *, score: float = 0.99) -> Detection:
    """The detection of a face centred at (x, y)."""
    points = face_points(x, y, size).astype(np.float32)
    return Detection(points[:2].ravel(), score, points[2:], checked=True)


def jittered(seen: Detection, deviation: float, rng: np.random.Generator) -> Detection:
    """``seen`` with Gaussian noise on all coordinates."""
    noise = rng.normal(0, deviation, (7, 2)).astype(np.float32)
    return replace(seen, box=seen.box + noise[:2].ravel(), landmarks=seen.landmarks + noise[2:])


def error(path: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square error of paths (T, ...), in pixels."""
    return float(np.sqrt(np.mean((path - truth) ** 2)))


def jitter(path: np.ndarray, truth: np.ndarray) -> float:
    """Second differences of the error, scaled so that white noise gives its standard deviation."""
    return float(np.sqrt(np.mean(np.diff(path - truth, 2, axis=0) ** 2) / 6))
