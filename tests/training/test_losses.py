"""Losses of gradients and on crops."""

from importlib.util import find_spec

import pytest
import torch

from vidrestore.measure.perceptual import PerceptualDistance
from vidrestore.training.losses import focus_map, gradient_loss, perceptual_on_crops

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


@pytest.mark.parametrize(("side", "reach"), [(32, {1}), (64, {1, 2}), (160, {1, 2, 4})])
def test_crops_of_several_sizes_are_downscaled_to_one(side: int, reach: set[int]) -> None:
    sizes, places = [], []

    def distance(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        sizes.append(x.shape[-2:])
        # The image holds its own rows' numbers: their distance in the crop, however turned, is the factor.
        down, across = x[0, 0, 1, 0] - x[0, 0, 0, 0], x[0, 0, 0, 1] - x[0, 0, 0, 0]
        places.append(round(float(abs(down) + abs(across))))
        return x.mean(dim=(1, 2, 3))

    rows = torch.arange(side).float()[:, None].expand(1, 3, side, side)
    for seed in range(30):
        generator = torch.Generator().manual_seed(seed)
        perceptual_on_crops(distance, rows, rows, size=32, generator=generator)  # type: ignore[arg-type]
    assert set(sizes) == {(32, 32)}
    assert set(places) == reach


def test_crops_are_turned_all_ways_and_both_alike() -> None:
    corners, image = [], torch.zeros(1, 3, 32, 32)
    image[..., 0, 1] = 1.0  # beside a corner: the eight ways differ

    def distance(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        assert torch.equal(x, target)
        corners.append(int(x[0, 0].argmax()))
        return x.mean(dim=(1, 2, 3))

    for seed in range(60):
        generator = torch.Generator().manual_seed(seed)
        perceptual_on_crops(distance, image, image, size=32, generator=generator)  # type: ignore[arg-type]
    last = 31
    places = {(0, 1), (0, last - 1), (last, 1), (last, last - 1)}
    assert set(corners) == {32 * y + x for a, b in places for y, x in ((a, b), (b, a))}


def test_the_focus_lies_between_eyes_and_mouth() -> None:
    weights = focus_map(128, 4.0)
    assert weights.mean().item() == pytest.approx(1)
    eyes, mouth, corner = weights[60, 48], weights[92, 64], weights[0, 0]
    assert min(eyes, mouth) > 2 * corner
    assert (weights.max() / corner).item() == pytest.approx(4, rel=0.02)
    assert torch.equal(focus_map(16, 1.0), torch.ones(16, 16))
