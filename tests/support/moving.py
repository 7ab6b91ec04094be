"""Detections of faces that move as a test says, and the two sums that say how still a path is held."""

from __future__ import annotations

import numpy as np

from vidrestore.faces.face import Detection

# Corners of the box and five landmarks of a face of size 1 around (0, 0).
SHAPE = np.array(
    [[-0.42, -0.6], [0.42, 0.6], [-0.2, -0.15], [0.2, -0.15], [0.0, 0.08], [-0.16, 0.3], [0.16, 0.3]]
)


def face_points(x: float, y: float, size: float = 100.0) -> np.ndarray:
    """The box's corners and the landmarks, (7, 2), of a face centred at (x, y)."""
    return SHAPE * size + (x, y)


def detection(x: float, y: float = 200.0, size: float = 100.0, *, score: float = 0.99) -> Detection:
    points = face_points(x, y, size).astype(np.float32)
    return Detection(points[:2].ravel(), score, points[2:])


def jittered(seen: Detection, deviation: float, rng: np.random.Generator) -> Detection:
    noise = rng.normal(0, deviation, (7, 2)).astype(np.float32)
    return Detection(seen.box + noise[:2].ravel(), seen.score, seen.landmarks + noise[2:])


def error(path: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square, in pixels, of paths (T, ...)."""
    return float(np.sqrt(np.mean((path - truth) ** 2)))


def jitter(path: np.ndarray, truth: np.ndarray) -> float:
    """Of the error's second differences, scaled to be white noise's standard deviation."""
    return float(np.sqrt(np.mean(np.diff(path - truth, 2, axis=0) ** 2) / 6))
