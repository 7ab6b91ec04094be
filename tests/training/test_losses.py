"""Losses of gradients and on crops."""

from importlib.util import find_spec

import pytest
import torch

from vidrestore.measure.perceptual import PerceptualDistance
from vidrestore.training.losses import gradient_loss, perceptual_on_crops

needs_weights = pytest.mark.skipif(find_spec("stlpips_pytorch") is None, reason="no perceptual weights")


def image() -> torch.Tensor:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    return torch.stack([torch.sin(9 * x), torch.cos(7 * y), x * y])[None] * 0.8


def test_gradient_loss_ignores_brightness_and_sees_edges() -> None:
    flat = torch.zeros(2, 3, 8, 8)
    assert gradient_loss(flat, flat + 0.5).tolist() == pytest.approx([0, 0])
    edge = flat.clone()
    edge[..., 4:] = 1.0
    assert gradient_loss(edge, flat).tolist() == pytest.approx([1 / 7, 1 / 7])


@needs_weights
def test_crops_are_repeatable() -> None:
    distance, clean = PerceptualDistance("alex"), image()
    found = [
        perceptual_on_crops(
            distance, clean * 0.5, clean, size=32, generator=torch.Generator().manual_seed(seed)
        ).item()
        for seed in (1, 1, 2)
    ]
    assert found[0] == found[1]
    assert found[0] != found[2]
