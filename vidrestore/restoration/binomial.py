"""Smoothing of images by the smallest binomial filter."""

from __future__ import annotations

import torch
from torch import Tensor


def binomial(x: Tensor) -> Tensor:
    """``x`` (N, C, H, W) smoothed by (1, 2, 1) / 4 in both directions; the border is replicated."""
    for dim in (2, 3):
        before, after = neighbours(x, dim)
        x = x.lerp((before + after) / 2, 0.5)
    return x


def neighbours(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """The elements before and after each element along ``dim``; the border is replicated."""
    last = x.shape[dim] - 1
    before = torch.cat((x.narrow(dim, 0, 1), x.narrow(dim, 0, last)), dim)
    after = torch.cat((x.narrow(dim, 1, last), x.narrow(dim, last, 1)), dim)
    return before, after
