"""Resampling by a ratio of two whole numbers, as a convolution whose weights repeat from sample to sample."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Lobes of the Lanczos kernel (Duchon, 1979).
LOBES = 3


def resample(x: Tensor, up: int, down: int = 1, shift: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """``x`` (C, H, W) float32 resampled to (C, H up / down, W up / down) with a Lanczos kernel.

    H and W are multiples of ``down``. A result that is smaller is low-pass filtered. ``shift`` (x, y), in
    samples of ``x``, moves what is shown to the left and up. Beyond the edges the border is replicated.
    """
    common = math.gcd(up, down)
    up, down = up // common, down // common
    if (up, down) == (1, 1) and not any(shift):
        return x
    across, below = (_lanczos(up, down, amount) for amount in shift)
    if x.device.type == "cpu" and down == 1:
        return _by_opencv(x, up, across, below)
    x = _along(x, *across, down)
    return _along(x.transpose(1, 2), *below, down).transpose(1, 2)


def reach(up: int, down: int = 1) -> int:
    """Samples to each side that :func:`resample` looks at, at most, with a shift below half a sample."""
    weights, low = _lanczos(up, down, 0.0)
    return max(-low, low + weights.shape[1] - down) + 1


def thin(x: Tensor, step: tuple[int, int], offset: tuple[float, float]) -> Tensor:
    """``x`` (C, H, W) at one place in ``step`` (x, y) samples: (C, ceil(H / y), ceil(W / x)).

    The weights fall linearly to 0 a step away, so that what is finer is filtered out. ``offset`` (x, y) is
    the distance of the place to the left of, and above, the centre of its samples: 1 is the first of these.
    """
    for axis in (0, 1):
        if step[axis] > 1:
            x = x.transpose(1, 2) if axis else x
            x = F.pad(x, (0, -x.shape[2] % step[axis]), mode="replicate")
            x = _along(x, *_triangle(step[axis], offset[axis]), step[axis])
            x = x.transpose(1, 2) if axis else x
    return x


def _by_opencv(x: Tensor, up: int, across: tuple[Tensor, int], below: tuple[Tensor, int]) -> Tensor:
    """``x`` (C, H, W) on a CPU enlarged, several times as fast as by convolutions."""
    channels, height, width = x.shape
    enlarged = np.empty((channels, height * up, width * up), np.float32)
    anchor = -across[1], -below[1]
    for plane, target in zip(x.numpy(), enlarged, strict=True):
        for row, vertical in enumerate(below[0].numpy()):
            for column, horizontal in enumerate(across[0].numpy()):
                target[row::up, column::up] = cv2.sepFilter2D(
                    plane, cv2.CV_32F, horizontal, vertical, anchor=anchor, borderType=cv2.BORDER_REPLICATE
                )
    return torch.from_numpy(enlarged)


def _along(x: Tensor, weights: Tensor, low: int, stride: int) -> Tensor:
    """Each ``stride`` samples of the last dimension of ``x`` (C, H, W) replaced by weighted sums, one for
    each row of ``weights`` (P, K), of the K samples that begin ``low`` from the first."""
    channels, height, width = x.shape
    ahead = max(0, low + weights.shape[1] - stride)
    padded = F.pad(x, (-low, ahead), mode="replicate").reshape(channels * height, 1, -1)
    sums = F.conv1d(padded, weights.to(x.device)[:, None], stride=stride)
    return sums[..., : width // stride].transpose(1, 2).reshape(channels, height, -1)


@cache
def _lanczos(up: int, down: int, shift: float) -> tuple[Tensor, int]:
    """The weights (up, K) of the values that replace ``down`` samples, and where the first K begins."""
    places = (torch.arange(up, dtype=torch.float64) + 0.5) * (down / up) - 0.5 + shift
    wide = max(1.0, down / up)
    low = math.floor(float(places[0]) - LOBES * wide)
    high = math.ceil(float(places[-1]) + LOBES * wide)
    distance = (torch.arange(low, high + 1) - places[:, None]) / wide
    weights = torch.sinc(distance) * torch.sinc(distance / LOBES) * (distance.abs() < LOBES)
    return (weights / weights.sum(dim=1, keepdim=True)).float(), low


@cache
def _triangle(step: int, offset: float) -> tuple[Tensor, int]:
    """The weights (1, K) of one value in ``step``, and where the first K begins."""
    place = (step - 1) / 2 * (1 - offset)
    low, high = math.floor(place) - step + 1, math.ceil(place) + step - 1
    weights = (1 - (torch.arange(low, high + 1) - place).abs() / step).clamp(min=0)
    return (weights / weights.sum())[None].float(), low
