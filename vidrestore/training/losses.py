"""Losses between images: of gradients, and the perceptual distance on crops."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..measure.perceptual import PerceptualDistance

#: Factors by which crops for the perceptual distance are downscaled.
_FACTORS = (1, 2, 4)
#: The middle of an aligned face, between the eyes and the mouth, across and down, and the deviation of the
#: weight around it, in parts of the face's side.
_MIDDLE, _SPREAD = (0.5, 0.58), 0.16


def gradient_loss(a: Tensor, b: Tensor, weights: Tensor | float = 1.0) -> Tensor:
    """Return the mean absolute difference of the horizontal and vertical gradients, per sample: (N,).

    ``weights``, (H, W) or a number, multiply the differences of pixels before their gradients are taken.
    """
    d = (a - b) * weights
    return d.diff(dim=-1).abs().mean(dim=(1, 2, 3)) + d.diff(dim=-2).abs().mean(dim=(1, 2, 3))


def perceptual_on_crops(
    distance: PerceptualDistance, x: Tensor, target: Tensor, *, size: int, generator: torch.Generator
) -> Tensor:
    """Return the perceptual distance (N,) on a random crop of ``size`` pixels, the same for the batch.

    Crops of 1, 2 or 4 times that size, as far as the image reaches, are downscaled to it, equally often:
    cheap crops show detail in some steps, and eyes and mouths, or the whole face, in others. They are also
    turned and mirrored, all eight ways equally often: a generator that always meets the network upright
    learns lines that lower the distance that way alone (as in E-LPIPS, Kettunen et al., 2019).
    """
    factors = [factor for factor in _FACTORS if size * factor <= x.shape[-1]] or [1]
    factor = factors[int(torch.randint(len(factors), (), generator=generator))]
    side = min(size * factor, x.shape[-1])
    top, left = torch.randint(0, x.shape[-1] - side + 1, (2,), generator=generator).tolist()
    way = int(torch.randint(8, (), generator=generator))
    crops = (turned(image[..., top : top + side, left : left + side], way) for image in (x, target))
    return distance(*(F.avg_pool2d(crop, factor) for crop in crops))


def turned(image: Tensor, way: int) -> Tensor:
    """Return ``image`` (..., S, S) turned by a multiple of 90 degrees, and mirrored or not: ``way`` is 0, as
    it is, to 7."""
    image = image.flip(-1) if way & 1 else image
    image = image.flip(-2) if way & 2 else image
    return image.transpose(-1, -2) if way & 4 else image


def focus_map(side: int, focus: float) -> Tensor:
    """Return weights (side, side) of the pixels of an aligned face, with a mean of 1: ``focus`` times as
    large between eyes and mouth as far from them, where background and clothes are."""
    places = (torch.arange(side) + 0.5) / side
    across, down = ((-0.5 * ((places - at) / _SPREAD) ** 2).exp() for at in _MIDDLE)
    weights = 1 + (focus - 1) * down[:, None] * across
    return weights / weights.mean()
