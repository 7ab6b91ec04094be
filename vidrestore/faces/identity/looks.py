"""An embedding of aligned faces that needs no network: their appearance, as tracking compares it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..alignment.align import TEMPLATE, TEMPLATE_SIZE
from ..tracking.appearance import Appearance


class LooksEmbedding:
    """Computes an embedding of 649 numbers for each aligned face, by structure and colour.

    It tells apart people of one scene. It also changes with pose and light: on four clips, tracks of one
    person differ by .31 in the median and by .53 at most, those of two people by .55 in 95 % of pairs.
    """

    name = "looks"
    threshold = 0.45

    def __call__(self, faces: Sequence[np.ndarray]) -> np.ndarray:
        """Map N aligned faces, each (S, S, 3) RGB uint8, to embeddings (N, 649)."""
        return np.stack([_vector(face) for face in faces])


def _vector(face: np.ndarray) -> np.ndarray:
    landmarks = TEMPLATE * (len(face) / TEMPLATE_SIZE)
    return Appearance.of(np.ascontiguousarray(face[..., ::-1]), landmarks).vector
