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


def held(restored: torch.Tensor, image: torch.Tensor, share: float = 1.0) -> torch.Tensor:
    return hold_edges(restored, image, torch.full((len(image), 1, 1, 1), share))


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


@pytest.mark.parametrize("shift", [(8, 16), (16, 8)])
def test_the_result_does_not_depend_on_what_is_far_away(shift):
    image, drawn = (texture(seed, 192)[None, :1] for seed in (1, 2))
    inside = ..., slice(64, 128), slice(64, 128)
    moved = ..., *(slice(start, None) for start in shift)
    part = ..., *(slice(64 - start, 128 - start) for start in shift)
    assert torch.allclose(held(drawn, image)[inside], held(drawn[moved], image[moved])[part], atol=1e-5)
