"""Luma, the brightness that the steps of restoration measure."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

#: The weights of R', G' and B' in luma (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)


def luma(rgb: Tensor, dim: int) -> Tensor:
    """The luma of ``rgb``, whose channels are dimension ``dim``; the result lacks that dimension."""
    weights = _weights(rgb.device, rgb.dtype)
    # The stubs of tensordot know only a number of dimensions.
    return torch.tensordot(weights, rgb, dims=([0], [dim]))  # pyright: ignore[reportArgumentType]


@cache
def _weights(device: torch.device, dtype: torch.dtype) -> Tensor:
    """``LUMA`` on ``device``, where it is kept: a copy would wait for what runs there."""
    with torch.inference_mode(False):  # for later gradients too
        return torch.tensor(LUMA, dtype=dtype, device=device)
