"""See faces as they are behind what lies over them: find covers, fill them, measure the quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .covers import any_strong, find_covers
from .face_quality import FaceQuality, measure_quality
from .fill import fill_covered


class UncoveredFace(NamedTuple):
    """One aligned face without what lies over it."""

    image: Tensor  #: (3, S, S) RGB in [0, 1]; covered pixels are filled with what is around them
    cover: np.ndarray  #: see :func:`.covers.find_covers`
    quality: FaceQuality  #: of ``image``


def uncover(
    images: Tensor,
    scales: Sequence[float],
    landmarks: Sequence[np.ndarray] | np.ndarray,
    covers: Sequence[np.ndarray] | None = None,
    inside: Sequence[np.ndarray] | None = None,
) -> list[UncoveredFace]:
    """Find what lies over N aligned faces, fill it, and measure the quality of what is left.

    Args:
        images: (N, 3, S, S) RGB in [0, 1].
        scales: N scale factors: crop pixels per frame pixel.
        landmarks: (N, 5, 2) in crop pixels: left eye, right eye, nose, left and right mouth corner.
        covers: N maps, as of :func:`.covers.find_covers`, of what is known to lie over them; None: not known.
        inside: N maps of what they show of their frames, see :func:`.face_quality.measure_quality`.
    """
    if not len(images):
        return []
    if covers is None:
        covers = find_covers(images, scales, landmarks)
    filled = [
        fill_covered(image, cover) if any_strong(cover) else image
        for image, cover in zip(images, covers, strict=True)
    ]
    qualities = measure_quality(torch.stack(filled), scales, landmarks, inside)
    return list(map(UncoveredFace, filled, covers, qualities))
