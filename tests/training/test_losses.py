"""The image losses."""

from importlib.util import find_spec

import pytest
import torch
from torch import nn

from vidrestore.training.losses import PerceptualDistance, gradient_loss, perceptual_on_crops

needs_weights = pytest.mark.skipif(find_spec("stlpips_pytorch") is None, reason="no perceptual weights")


def picture() -> torch.Tensor:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    return torch.stack([torch.sin(9 * x), torch.cos(7 * y), x * y])[None] * 0.8


def test_gradient_loss_ignores_brightness_and_sees_edges() -> None:
    flat = torch.zeros(2, 3, 8, 8)
    assert gradient_loss(flat, flat + 0.5).tolist() == pytest.approx([0, 0])
    edge = flat.clone()
    edge[..., 4:] = 1.0
    assert gradient_loss(edge, flat).tolist() == pytest.approx([1 / 7, 1 / 7])


@needs_weights
@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_distance_grows_with_the_damage(net: str) -> None:
    distance, clean = PerceptualDistance(net), picture()
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    found = [distance(clean + sigma * noise, clean).item() for sigma in (0.0, 0.05, 0.2)]
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert found[0] < found[1] < found[2]


@needs_weights
def test_where_no_feature_fires_the_gradient_is_finite() -> None:
    distance = PerceptualDistance("alex")
    for module in distance.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    x = picture().requires_grad_()
    distance(x, torch.zeros_like(x)).sum().backward()
    assert torch.isfinite(x.grad).all()


@needs_weights
def test_crops_are_repeatable() -> None:
    distance, clean = PerceptualDistance("alex"), picture()
    found = [
        perceptual_on_crops(
            distance, clean * 0.5, clean, size=32, generator=torch.Generator().manual_seed(seed)
        ).item()
        for seed in (1, 1, 2)
    ]
    assert found[0] == found[1]
    assert found[0] != found[2]
