"""Muon's updates are orthogonal and of the size of AdamW's."""

from __future__ import annotations

import pytest
import torch

from vidrestore.training.muon import Muon, _polynomial, orthogonalise


@pytest.mark.parametrize("shape", [(64, 576), (96, 32), (48, 48)])
def test_singular_values_become_nearly_equal(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape) @ torch.diag(torch.logspace(0, -1, shape[1]))
    found = orthogonalise(matrix).float()
    assert found.shape == shape
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.5
    assert values.max() < 1.3
    assert (found * matrix).sum() > 0  # in the same direction


@pytest.mark.parametrize(("has", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_without_instructions_for_bf16_it_computes_in_fp32(
    has: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a CPU multiplies matrices of bf16 one number at a time: a step took 33 s instead of 7.5 s."""
    monkeypatch.setattr("vidrestore.training.muon.has_bf16", lambda device: has)
    assert orthogonalise(torch.eye(4)).dtype == dtype


def test_in_fp32_the_factors_are_multiplied_first() -> None:
    """It is the same polynomial as multiplying the matrix by each factor, for singular values of any size."""
    torch.manual_seed(0)
    matrix = torch.randn(32, 288) @ torch.diag(torch.logspace(0, -5, 288))
    x = matrix.double() / matrix.norm()
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    found = _polynomial((matrix / matrix.norm()) @ (matrix / matrix.norm()).T) @ (matrix / matrix.norm())
    torch.testing.assert_close(found.double(), x, rtol=0, atol=1e-4)


def test_an_update_has_the_size_of_adamws() -> None:
    torch.manual_seed(0)
    sizes = []
    for optimiser_class in (Muon, torch.optim.AdamW):
        weight = torch.nn.Parameter(torch.zeros(64, 64, 3, 3))
        optimiser = optimiser_class([{"params": [weight]}], lr=1e-3)
        weight.grad = torch.randn_like(weight)
        optimiser.step()
        sizes.append(weight.square().mean().sqrt().item())
    assert 0.1 * sizes[1] < sizes[0] < sizes[1]


def test_weights_without_a_gradient_stay() -> None:
    weight = torch.nn.Parameter(torch.ones(4, 4))
    Muon([{"params": [weight]}], lr=1.0).step()
    assert torch.equal(weight, torch.ones(4, 4))
