"""The codebook follows its features, and unused codes are replaced."""

from __future__ import annotations

import pytest
import torch

from vidrestore.training.codebook import CodebookAverages, nearest_codes


def clusters(seed: int, centres: torch.Tensor) -> torch.Tensor:
    """Features (4, C, 8, 8) around the rows of ``centres`` (K, C)."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(centres), (4 * 64,), generator=generator)
    noise = 0.05 * torch.randn((4 * 64, centres.shape[1]), generator=generator)
    return (centres[chosen] + noise).view(4, 64, -1).transpose(1, 2).reshape(4, -1, 8, 8)


def test_the_nearest_codes() -> None:
    codebook = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])
    features = torch.tensor([[0.5, 3.9, 0.2, 0.1], [0.5, 0.4, 2.0, -5.0]]).view(1, 2, 2, 2)
    assert nearest_codes(features, codebook).tolist() == [[0, 1, 2, 0]]


def test_the_nearest_codes_are_the_same_under_autocast() -> None:
    generator = torch.Generator().manual_seed(0)
    codebook = 10 + 0.1 * torch.randn((64, 32), generator=generator)  # bfloat16 has steps of 0.06 there
    chosen = torch.arange(64).view(1, 64)
    features = codebook[chosen].transpose(1, 2).unflatten(2, (8, 8))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(nearest_codes(features, codebook), chosen)


def test_codes_move_to_their_features_and_all_are_used() -> None:
    centres = 3 * torch.randn((6, 4), generator=torch.manual_seed(0))
    codebook = torch.full((6, 4), 50.0)  # far from all features
    averages, generator = CodebookAverages(codebook, decay=0.7), torch.Generator().manual_seed(1)
    for step in range(60):
        averages.update(codebook, clusters(step, centres), generator)
    distances = torch.cdist(clusters(99, centres).flatten(2).transpose(1, 2).flatten(0, 1), codebook)
    assert distances.min(dim=1).values.median() < 0.3
    assert averages.perplexity() > 3


def test_a_batch_that_is_not_finite_is_ignored() -> None:
    codebook = torch.randn((6, 4), generator=torch.manual_seed(0))
    averages, before = CodebookAverages(codebook), codebook.clone()
    averages.update(codebook, torch.full((1, 4, 8, 8), float("nan")), torch.Generator())
    assert torch.equal(codebook, before)
    assert not averages.count.any()


def test_perplexity_is_the_effective_number_of_codes() -> None:
    averages = CodebookAverages(torch.zeros(8, 2))
    averages.count.copy_(torch.tensor([5.0, 5, 5, 5, 0, 0, 0, 0]))
    assert averages.perplexity() == pytest.approx(4, rel=1e-4)
