"""Faces that lack their colours, or have holes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidrestore.degradation.missing import MISSING, with_holes, without_colours

FACE = (40 + 150 * torch.rand((3, 64, 64), generator=torch.manual_seed(0))).to(torch.uint8)


def made(task: str, count: int = 60) -> list[torch.Tensor]:
    return [MISSING[task](FACE, np.random.default_rng(seed)) for seed in range(count)]


@pytest.mark.parametrize("task", [*MISSING])
def test_they_depend_on_the_generator_alone(task):
    one, same, other = (MISSING[task](FACE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one.shape, one.dtype) == (FACE.shape, torch.uint8)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_most_faces_are_grey_and_some_are_faded():
    spread = torch.tensor([(x.amax(0).float() - x.amin(0)).mean() for x in made("colour")])
    grey = spread == 0
    assert 0.7 < grey.float().mean() < 0.97
    original = float((FACE.amax(0).float() - FACE.amin(0)).mean())
    assert spread[~grey].max() < 0.8 * original
    brightness = without_colours(FACE, np.random.default_rng(3)).float().mean()
    assert abs(brightness - FACE.float().mean()) < 10


def test_holes_are_white_and_nothing_else_changes():
    shares = []
    for face in made("inpaint"):
        hole = (face == 255).all(dim=0)
        assert torch.equal(face[:, ~hole], FACE[:, ~hole])
        shares.append(float(hole.float().mean()))
    assert min(shares) < 0.05
    assert 0.05 < np.mean(shares) < 0.35
    assert max(shares) < 0.8


def test_holes_grow_with_the_face():
    small, large = (torch.zeros((3, side, side), dtype=torch.uint8) for side in (64, 256))
    a, b = (with_holes(x, np.random.default_rng(4)).float().mean() for x in (small, large))
    assert a == pytest.approx(b, rel=0.25)
