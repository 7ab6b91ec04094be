"""The appearance as an embedding: one face is near itself, two people are apart."""

from __future__ import annotations

import cv2
import numpy as np

from tests.support.portraits import aligned_portraits
from vidrestore.faces.identity.looks import LooksEmbedding


def test_a_degraded_face_is_nearer_than_another_person():
    first, second = aligned_portraits().values()
    blurred = cv2.GaussianBlur(first, (0, 0), 4)
    embed = LooksEmbedding()
    a, b, c = embed([first, blurred, second])
    assert np.linalg.norm(a - b) < embed.threshold < np.linalg.norm(a - c)
    assert embed([cv2.resize(first, (256, 256), interpolation=cv2.INTER_AREA)]).shape == (1, len(a))
