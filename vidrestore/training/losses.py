"""Image losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..measure.perceptual import PerceptualDistance


def gradient_loss(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of horizontal and vertical differences, one value per sample (N,)."""
    d = a - b
    return d.diff(dim=-1).abs().mean(dim=(1, 2, 3)) + d.diff(dim=-2).abs().mean(dim=(1, 2, 3))


def perceptual_on_crops(
    distance: PerceptualDistance, x: Tensor, target: Tensor, *, size: int, generator: torch.Generator
) -> Tensor:
    """The distance on one crop of ``size`` pixels per batch, (N,). Half of the crops are of twice the
    size and halved: a crop costs little, and sees detail one time and features the next."""
    factor = int(torch.randint(1, 3, (), generator=generator))
    side = min(size * factor, x.shape[-1])
    top, left = torch.randint(0, x.shape[-1] - side + 1, (2,), generator=generator).tolist()
    crops = (image[..., top : top + side, left : left + side] for image in (x, target))
    if factor == 2:
        crops = (F.avg_pool2d(crop, 2) for crop in crops)
    return distance(*crops)
