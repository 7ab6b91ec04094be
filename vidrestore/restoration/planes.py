"""Resample and filter images; on the CPU with OpenCV, which is several times as fast as PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from . import binomial as filters

_BINOMIAL = np.array((0.25, 0.5, 0.25), np.float32)


def shrink(images: Tensor, size: int | Sequence[int]) -> Tensor:
    """``images`` (N, C, H, W) averaged to ``size``, a side or a height and a width, in float32."""
    images = images.float()
    height, width = (size, size) if isinstance(size, int) else size
    # For other factors the two average over different pixels.
    whole = images.shape[-2] % height == images.shape[-1] % width == 0
    if images.device.type == "cpu" and whole:
        return _resize(images, height, width, cv2.INTER_AREA)
    return F.interpolate(images, (height, width), mode="area")


def enlarge(images: Tensor, size: Sequence[int]) -> Tensor:
    """``images`` (N, C, H, W) float32 interpolated linearly to ``size``, a height and a width."""
    height, width = size
    if images.device.type == "cpu":
        return _resize(images, height, width, cv2.INTER_LINEAR)
    return F.interpolate(images, (height, width), mode="bilinear", align_corners=False)


def binomial(images: Tensor) -> Tensor:
    """``images`` (N, C, H, W) float32 smoothed by (1, 2, 1) / 4 in both directions; the border is
    replicated."""
    if images.device.type != "cpu":
        return filters.binomial(images)
    border = cv2.BORDER_REPLICATE
    return _filter(
        images,
        lambda plane, out: cv2.sepFilter2D(plane, -1, _BINOMIAL, _BINOMIAL, dst=out, borderType=border),
    )


def local_mean(images: Tensor, side: int) -> Tensor:
    """The mean of ``images`` (N, C, H, W) float32 in the square of ``side``, an odd number, around each
    pixel; the border is replicated."""
    if images.device.type != "cpu":
        return F.avg_pool2d(F.pad(images, [side // 2] * 4, mode="replicate"), side, 1)
    border = cv2.BORDER_REPLICATE
    return _filter(images, lambda plane, out: cv2.blur(plane, (side, side), dst=out, borderType=border))


def local_maximum(images: Tensor, side: int) -> Tensor:
    """The largest value of ``images`` (N, C, H, W) float32 in the square of ``side``, an odd number, around
    each pixel."""
    if images.device.type != "cpu":
        return F.max_pool2d(images, side, 1, side // 2)
    square = np.ones((side, side), np.uint8)
    return _filter(images, lambda plane, out: cv2.dilate(plane, square, dst=out))


def is_channels_last(images: Tensor) -> bool:
    """Whether the channels of each pixel of ``images`` (N, C, H, W) are adjacent in memory, and planes are
    not whole."""
    return images.is_contiguous(memory_format=torch.channels_last) and not images.is_contiguous()


def in_order_of(x: Tensor, images: Tensor) -> Tensor:
    """``x`` (N, C, h, w) with its channels last in memory if those of ``images`` (N, C, H, W) are."""
    return x.contiguous(memory_format=torch.channels_last) if is_channels_last(images) else x


def _resize(images: Tensor, height: int, width: int, method: int) -> Tensor:
    return _filter(
        images,
        lambda plane, out: cv2.resize(plane, (width, height), dst=out, interpolation=method),
        (height, width),
    )


def _filter(
    images: Tensor, write: Callable[[np.ndarray, np.ndarray], object], size: tuple[int, int] | None = None
) -> Tensor:
    """What ``write`` writes for each plane of ``images``, of ``size`` or theirs; in their order in memory."""
    count, channels = images.shape[:2]
    height, width = size or images.shape[-2:]
    if is_channels_last(images):
        filtered = np.empty((count, height, width, channels), np.float32)
        for image, out in zip(images.permute(0, 2, 3, 1).numpy(), filtered, strict=True):
            write(image, out)
        return torch.from_numpy(filtered).permute(0, 3, 1, 2)
    filtered = np.empty((count, channels, height, width), np.float32)
    for image, target in zip(images.numpy(), filtered, strict=True):
        for plane, out in zip(image, target, strict=True):
            write(plane, out)
    return torch.from_numpy(filtered)
