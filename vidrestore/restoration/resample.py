"""Shrink and enlarge images; on the CPU with OpenCV, which is several times as fast as PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def shrink(images: Tensor, size: int | Sequence[int]) -> Tensor:
    """``images`` (N, C, H, W) averaged to ``size``, a side or a height and a width, in float32."""
    images = images.float()
    height, width = (size, size) if isinstance(size, int) else size
    # For other factors the two average over different pixels.
    whole = images.shape[-2] % height == images.shape[-1] % width == 0
    if images.device.type == "cpu" and whole:
        return _resize(images, (height, width), cv2.INTER_AREA)
    return F.interpolate(images, (height, width), mode="area")


def enlarge(images: Tensor, size: Sequence[int]) -> Tensor:
    """``images`` (N, C, H, W) float32 interpolated linearly to ``size``, a height and a width."""
    height, width = size
    if images.device.type == "cpu":
        return _resize(images, (height, width), cv2.INTER_LINEAR)
    return F.interpolate(images, (height, width), mode="bilinear", align_corners=False)


def _resize(images: Tensor, size: tuple[int, int], method: int) -> Tensor:
    resized = np.empty((*images.shape[:2], *size), np.float32)
    for image, target in zip(images.numpy(), resized, strict=True):
        for plane, result in zip(image, target, strict=True):
            cv2.resize(plane, size[::-1], dst=result, interpolation=method)
    return torch.from_numpy(resized)
