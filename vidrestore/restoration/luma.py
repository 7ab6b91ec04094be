"""Luma, the brightness that the steps of restoration measure."""

from __future__ import annotations

import torch
from torch import Tensor

#: The weights of R', G' and B' in luma (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)


def luma(rgb: Tensor, dim: int) -> Tensor:
    """The luma of ``rgb``, whose channels are dimension ``dim``; the result lacks that dimension."""
    # The stubs of tensordot know only a number of dimensions.
    return torch.tensordot(rgb.new_tensor(LUMA), rgb, dims=([0], [dim]))  # pyright: ignore[reportArgumentType]
