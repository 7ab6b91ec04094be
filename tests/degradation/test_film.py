"""Looks of old film and tape, and film grain."""

import numpy as np
import pytest

from vidrestore.degradation.film import CAST, GREY, FilmLook, draw_look, grain


@pytest.fixture
def looks() -> list[FilmLook]:
    return [draw_look(np.random.default_rng(i)) for i in range(800)]


@pytest.fixture
def colours() -> np.ndarray:
    """Random colours (64, 64, 3) uint8."""
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def test_the_default_is_the_identity(colours: np.ndarray) -> None:
    assert np.array_equal(FilmLook()(colours), colours)


def test_shares(looks: list[FilmLook]) -> None:
    grey = [look for look in looks if look.mono and len(set(look.white)) == len(set(look.black)) == 1]
    tinted = [look for look in looks if look.mono and look not in grey]
    recoloured = [look for look in looks if look.saturation == 1 and look.black == (0.0, 0.0, 0.0)]
    assert len(grey) / len(looks) == pytest.approx(GREY, abs=0.04)
    assert 1 - (len(grey) + len(recoloured)) / len(looks) == pytest.approx(CAST, abs=0.04)
    assert 0.015 < len(tinted) / len(looks) < 0.06


def test_a_monochrome_look_is_one_curve(looks: list[FilmLook], colours: np.ndarray) -> None:
    """With a monochrome look every brightness has one colour, and the order is kept."""
    for look in [look for look in looks if look.mono][:20]:
        aged = look(colours).reshape(-1, 3).astype(int)
        order = np.argsort(aged.sum(axis=1), kind="stable")
        assert np.all(np.diff(aged[order], axis=0) >= 0)


def test_every_look_keeps_order_and_contrast(looks: list[FilmLook]) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for look in looks:
        aged = look(ramp)[0].astype(int)
        assert np.all(np.diff(aged, axis=0) >= 0)
        assert np.all(aged[-1] - aged[0] > 80), look


def test_grain_is_strongest_in_the_mid_tones() -> None:
    noise = np.random.default_rng(0).standard_normal((200, 200, 1), dtype=np.float32)
    deviations = [
        grain(noise, np.full((200, 200, 3), level, np.float32), 0.8).std() for level in (0.0, 0.5, 1.0)
    ]
    assert deviations == pytest.approx([0.3, 1.0, 0.3], abs=0.02)


def test_larger_grains_are_more_correlated() -> None:
    noise = np.random.default_rng(0).standard_normal((200, 200, 1), dtype=np.float32)
    level = np.full((200, 200, 1), 0.5, np.float32)
    neighbours = []
    for size in (0.2, 0.6, 1.2):
        x = grain(noise, level, size)[..., 0]
        neighbours.append(np.corrcoef(x[:, 1:].ravel(), x[:, :-1].ravel())[0, 1])
    assert neighbours[0] == pytest.approx(0, abs=0.02)
    assert neighbours[0] + 0.2 < neighbours[1] < neighbours[2] - 0.2
