"""Limit how much sharper than in its input an edge becomes."""

from __future__ import annotations

import pytest
import torch

from tests.support.textures import texture
from vidrestore.restoration.fidelity.edges import hold_edges

#: An edge at column 64 of an image, by its width in pixels.
SHARP, FIRM, SOFT = 0.5, 4.0, 6.0


def edge(width: float, contrast: float = 0.2) -> torch.Tensor:
    return 0.5 - contrast * torch.tanh((torch.arange(128.0) - 64) / width).expand(1, 1, 96, 128)


def held(
    restored: torch.Tensor, image: torch.Tensor, share: float = 1.0, sharpening: float = 0.0
) -> torch.Tensor:
    return hold_edges(
        restored, image, *(torch.full((len(image), 1, 1, 1), value) for value in (share, sharpening))
    )


def steepest(image: torch.Tensor) -> float:
    return float(image.diff(dim=-1).abs().max())


def test_an_edge_that_is_much_sharper_is_softened():
    assert steepest(held(edge(SHARP), edge(SOFT))) < 0.5 * steepest(edge(SHARP))


def test_an_edge_that_the_input_has_stays():
    for width in (SHARP, FIRM, SOFT):
        assert torch.allclose(held(edge(width), edge(width)), edge(width), atol=1e-5)


def test_an_edge_that_is_a_little_sharper_stays_nearly():
    result = held(edge(FIRM), edge(SOFT))
    assert steepest(result) > 0.9 * steepest(edge(FIRM))


def test_a_softer_edge_stays():
    assert torch.allclose(held(edge(SOFT), edge(SHARP)), edge(SOFT), atol=2e-3)


def test_less_is_drawn_where_the_input_has_no_edge_at_all():
    found = [steepest(held(edge(SHARP), image)) for image in (edge(FIRM), edge(FIRM, contrast=0))]
    assert found[1] < 0.8 * found[0]


def test_a_smaller_share_keeps_less():
    found = [steepest(held(edge(SHARP), edge(SOFT), share)) for share in (1.0, 0.6, 0.2)]
    assert found[0] > found[1] > found[2]


def test_sharpening_makes_a_soft_edge_that_lost_its_noise_a_little_steeper():
    soft, flat = edge(SOFT), edge(SOFT, contrast=0)
    noise = 0.05 * (texture(1, 128)[None, :1, :96] - 0.5)
    results = [held(soft, soft + noise, sharpening=sharpening) for sharpening in (0.0, 0.5, 1.0)]
    ratios = [steepest(result) / steepest(soft) for result in results]
    assert ratios[0] == pytest.approx(1, abs=1e-3)
    assert 1.02 < ratios[1] < ratios[2] < 1.3
    assert (results[2] - soft).abs().max() < 0.05 * 2 * 0.2  # of the contrast
    assert torch.allclose(held(flat, flat + noise, sharpening=1.0), flat, atol=1e-5)


def test_what_restoration_leaves_alone_is_not_sharpened():
    assert torch.allclose(held(edge(SOFT), edge(SOFT), sharpening=1.0), edge(SOFT), atol=1e-5)


@pytest.mark.parametrize("shift", [(8, 16), (16, 8)])
def test_the_result_does_not_depend_on_what_is_far_away(shift):
    image, drawn = (texture(seed, 192)[None, :1] for seed in (1, 2))
    inside = ..., slice(64, 128), slice(64, 128)
    moved = ..., *(slice(start, None) for start in shift)
    part = ..., *(slice(64 - start, 128 - start) for start in shift)
    assert torch.allclose(held(drawn, image)[inside], held(drawn[moved], image[moved])[part], atol=1e-5)
