"""Images with the faces of two real people at given places."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from tests.support.moving import face_points
from tests.support.portraits import aligned_portraits
from vidrestore.faces.alignment.align import alignment_matrix

SIZE = (640, 400)
PEOPLE = ("collins", "hopper")


@cache
def background() -> np.ndarray:
    """High in contrast, so that a face that appears does not look like a cut; low in saturation."""
    rng = np.random.default_rng(9)
    noise = rng.integers(20, 210, (10, 16, 1)) + rng.integers(0, 40, (10, 16, 3))
    return cv2.resize(noise.astype(np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)


@cache
def _mask() -> np.ndarray:
    mask = np.zeros((512, 512), np.float32)
    cv2.ellipse(mask, (256, 280), (150, 200), 0, 0, 360, 1.0, -1)
    return cv2.GaussianBlur(mask, (0, 0), 8)


def scene(*people: tuple[str, float, float, float]) -> np.ndarray:
    """(400, 640, 3) uint8 BGR: ``people`` (name, x, y, size) from back to front.

    Their landmarks are those of ``detection(x, y, size)``.
    """
    picture = background().copy()
    for name, x, y, size in people:
        left, top = np.maximum(np.array([x, y]) - size, 0).astype(int)
        part = picture[top : int(y + size), left : int(x + size)]
        inverse = np.linalg.inv(alignment_matrix(face_points(x, y, size)[2:] - (left, top)))[:2]
        extent = part.shape[1::-1]
        portrait = cv2.warpAffine(aligned_portraits()[name], inverse, extent, flags=cv2.INTER_LINEAR)
        mask = cv2.warpAffine(_mask(), inverse, extent)[..., None]
        part[:] = (part + mask * (portrait[..., ::-1].astype(np.float32) - part)).round()
    return picture
