"""Masks cover the face and fall smoothly to zero."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.faces.alignment.mask import border_mask, oval_masks


@pytest.mark.parametrize("size", [256, 512])
def test_the_oval_covers_the_face_with_a_soft_edge(size):
    landmarks = TEMPLATE * size / 512
    [mask] = oval_masks(landmarks[None], size)
    assert mask.shape == (size, size)
    for x, y in landmarks:
        assert mask[int(y), int(x)] == 1
    assert mask[0].max() == mask[-1].max() == mask[:, 0].max() == mask[:, -1].max() == 0
    step = max(mask.diff(dim=0).abs().max(), mask.diff(dim=1).abs().max())
    assert step < 0.06 * 256 / size
    assert 0.2 < mask.mean() < 0.5


def test_the_oval_follows_the_landmarks():
    def centre(mask):
        grid = torch.arange(512) + 0.5
        return [(mask.sum(dim) * grid).sum() / mask.sum() for dim in (0, 1)]

    still, moved = oval_masks(np.stack((TEMPLATE, TEMPLATE * 0.8 + (30, 10))), 512)
    x, y = centre(still)
    mx, my = centre(moved)
    assert mx == pytest.approx(float(x) * 0.8 + 30, abs=2)
    assert my == pytest.approx(float(y) * 0.8 + 10, abs=2)
    assert moved.sum() < 0.75 * still.sum()


def test_the_border_is_zero_at_the_edge():
    mask = border_mask(512)
    assert mask[0].max() < 0.01
    assert mask[256, 256] == 1
