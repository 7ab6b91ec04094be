"""Brightness as the steps of restoration see it."""

from __future__ import annotations

import torch
from torch import Tensor

#: Y' of R', G' and B' (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)


def luma(rgb: Tensor, dim: int) -> Tensor:
    """The luma of ``rgb``, whose channels lie along ``dim``; without that dimension."""
    return torch.tensordot(rgb.new_tensor(LUMA), rgb, dims=([0], [dim]))
