"""Losses between images: of gradients, and the perceptual distance on crops."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..measure.perceptual import PerceptualDistance


def gradient_loss(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean absolute difference of the horizontal and vertical gradients, per sample: (N,)."""
    d = a - b
    return d.diff(dim=-1).abs().mean(dim=(1, 2, 3)) + d.diff(dim=-2).abs().mean(dim=(1, 2, 3))


def perceptual_on_crops(
    distance: PerceptualDistance, x: Tensor, target: Tensor, *, size: int, generator: torch.Generator
) -> Tensor:
    """Return the perceptual distance (N,) on a random crop of ``size`` pixels, the same for the batch.

    Half of the crops have twice the size and are downscaled by 2, so that cheap crops show detail in some
    steps and larger features in others.
    """
    factor = int(torch.randint(1, 3, (), generator=generator))
    side = min(size * factor, x.shape[-1])
    top, left = torch.randint(0, x.shape[-1] - side + 1, (2,), generator=generator).tolist()
    crops = (image[..., top : top + side, left : left + side] for image in (x, target))
    if factor == 2:
        crops = (F.avg_pool2d(crop, 2) for crop in crops)
    return distance(*crops)
