"""Degradations: repeatable, in range, and as severe as their numbers say."""

import numpy as np
import pytest
import torch

from vidrestore.training.degrade import LEVELS, Degradation, degrade, draw


@pytest.fixture
def face() -> torch.Tensor:
    """Smooth shapes and fine texture, (3, 128, 128) uint8."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    smooth = 120 + 80 * torch.sin(x / 17) * torch.cos(y / 23)
    texture = 20 * ((x.int() // 2 + y.int() // 2) % 2)
    return torch.stack([smooth + texture, smooth, 255 - smooth]).clamp(0, 255).to(torch.uint8)


def error(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a.float() - b.float()).square().mean().sqrt().item()


def test_nothing_drawn_changes_nothing(face: torch.Tensor) -> None:
    assert torch.equal(degrade(face, Degradation()), face)


@pytest.mark.parametrize(
    "degradation",
    [
        Degradation(blur=2.0),
        Degradation(blur=2.0, stretch=0.5, scale=3.0, down="bicubic", up="bilinear"),
        Degradation(noise=10.0),
        Degradation(noise=10.0, grey_noise=True),
        Degradation(jpeg=40),
        Degradation(scale=2.0, crf=30),
        Degradation(scale=16.0, crf=28),
        *LEVELS.values(),
    ],
    ids=str,
)
def test_repeatable_and_changed(face: torch.Tensor, degradation: Degradation) -> None:
    once, again = degrade(face, degradation, seed=3), degrade(face, degradation, seed=3)
    assert once.shape == face.shape
    assert once.dtype == torch.uint8
    assert torch.equal(once, again)
    assert error(once, face) > 1
    # No shift of brightness, whatever the chain.
    assert abs(once.float().mean() - face.float().mean()) < 4


def test_noise_depends_on_the_seed(face: torch.Tensor) -> None:
    noise = Degradation(noise=8.0)
    assert error(degrade(face, noise, seed=1), degrade(face, noise, seed=2)) > 5


def test_noise_has_its_deviation() -> None:
    grey = torch.full((3, 128, 128), 128, dtype=torch.uint8)
    assert error(degrade(grey, Degradation(noise=8.0), seed=1), grey) == pytest.approx(8.0, rel=0.05)


def test_blur_keeps_a_point_where_it_was() -> None:
    point = torch.zeros((3, 64, 64), dtype=torch.uint8)
    point[:, 20, 40] = 255
    blurred = degrade(point, Degradation(blur=1.5))[0].float()
    y, x = (torch.arange(64.0) @ blurred.sum(dim=d) / blurred.sum() for d in (1, 0))
    assert (y.item(), x.item()) == pytest.approx((20, 40), abs=0.05)


def test_levels_are_in_order(face: torch.Tensor) -> None:
    errors = [error(degrade(face, level), face) for level in LEVELS.values()]
    assert errors == sorted(errors)


def test_draws_are_repeatable_and_in_range() -> None:
    drawn = [draw(np.random.default_rng((5, i))) for i in range(600)]
    assert drawn == [draw(np.random.default_rng((5, i))) for i in range(600)]
    clean = sum(d == Degradation() for d in drawn) / len(drawn)
    assert 0.02 < clean < 0.07
    rest = [d for d in drawn if d != Degradation()]
    assert all((d.jpeg is None) != (d.crf is None) for d in rest)
    assert 0.2 < sum(d.crf is not None for d in rest) / len(rest) < 0.4
    assert all(0 < d.blur <= 10 and 1 <= d.scale <= 16 and 0 <= d.noise <= 15 for d in rest)
    assert np.median([d.scale for d in rest]) < 4
