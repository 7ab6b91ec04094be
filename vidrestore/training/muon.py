"""Muon, an optimiser for weight matrices (Jordan et al., "Muon: an optimizer for hidden layers", 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..runtime.device import has_bf16

#: Coefficients of the quintic Newton-Schulz iteration of Jordan et al. (2024), chosen so that small singular
#: values grow quickly. After five iterations nearly all are between 0.7 and 1.2.
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
#: Decay of Nesterov momentum.
_MOMENTUM = 0.95


def orthogonalise(matrix: Tensor) -> Tensor:
    """Return approximately the nearest semi-orthogonal matrix to ``matrix`` (R, C), as (R, C) bfloat16, or as
    float32 on a device without instructions for bfloat16."""
    a, b, c = _COEFFICIENTS
    x = matrix.bfloat16() if has_bf16(matrix.device) else matrix.float()
    tall = len(x) > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    if x.dtype == torch.float32:
        x = _polynomial(x @ x.T) @ x
        return x.T if tall else x
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


def _polynomial(gram: Tensor) -> Tensor:
    """The product of the iterations' factors (R, R), each a polynomial of the first ``gram`` matrix (R, R).

    These commute, so the matrix itself is multiplied only once: 1.5 to 2.2 times as fast. It needs
    float32: a Gram matrix holds squares of singular values.
    """
    a, b, c = _COEFFICIENTS
    product = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(_ITERATIONS):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor @ product
        gram = factor @ gram @ factor
    return product


class Muon(torch.optim.Optimizer):
    """Momentum whose update of each matrix is orthogonalised (Jordan et al., 2024), so that all directions of
    a weight are trained at the same rate, and not only those with large gradients.

    The weight of a convolution (out, in, k, k) is treated as a matrix (out, in * k * k). The update is scaled
    to the size of AdamW's (Liu et al., "Muon is scalable for LLM training", 2025, section 2.2), so that
    learning rates have the same meaning for both. ``lr`` is the learning rate.
    """

    def __init__(self, groups: Sequence[Mapping[str, Any]], *, lr: float) -> None:
        super().__init__([dict(group) for group in groups], {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - takes no closure
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                average = state["momentum"]
                average.lerp_(weight.grad, 1 - _MOMENTUM)
                ahead = weight.grad.lerp(average, _MOMENTUM)
                matrix = ahead.flatten(1)
                update = orthogonalise(matrix).to(weight).view_as(weight)
                weight.add_(update, alpha=-0.2 * max(matrix.shape) ** 0.5 * group["lr"])
