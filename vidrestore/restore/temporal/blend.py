"""Blending an image with others that are brought to its place along their flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...runtime.cuda_streams import upload


@dataclass(frozen=True, slots=True)
class Contribution:
    """What another image gives to a blend. The maps may be smaller than the image: (M, M)."""

    image: Tensor  #: (C, S, S)
    flow: np.ndarray | None  #: (M, M, 2): where each pixel lies in ``image``, as x, y in pixels of the map
    weight: np.ndarray  #: (M, M) float32, against the 1 of what it is blended with


def blend(image: Tensor, others: Sequence[Contribution]) -> Tensor:
    """The weighted mean of ``image`` (C, S, S) and the ``others``, in its dtype."""
    others = [other for other in others if other.weight.max() > 0]
    if not others:
        return image
    return _blend_with_opencv(image, others) if image.device.type == "cpu" else _blend_on(image, others)


def by_pixel(image: Tensor) -> Tensor:
    """``image`` (C, H, W) with a pixel's channels beside each other in memory, as OpenCV has them."""
    return image.permute(1, 2, 0).contiguous().permute(2, 0, 1)


def remap(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """``image`` (S, S, C) as it looks along ``flow`` (S, S, 2) float32; the border goes on beyond it."""
    places = flow + pixels(len(image))
    return cv2.remap(image, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@cache
def pixels(size: int) -> np.ndarray:
    """(size, size, 2) float32: where each pixel is, as x, y."""
    return np.stack(np.meshgrid(*2 * [np.arange(size, dtype=np.float32)]), axis=-1)


def _blend_with_opencv(image: Tensor, others: Sequence[Contribution]) -> Tensor:
    """Three times as fast on a CPU as what a GPU does. Weights are repeated for each channel: a broadcast
    over so few of them takes longer than the rest."""
    channels, size = image.shape[:2]
    total = by_pixel(image.float()).permute(1, 2, 0).clone()
    weights = np.ones((size, size), np.float32)
    for other in others:
        values = by_pixel(other.image.float()).permute(1, 2, 0)
        if other.flow is not None:
            scale = size / len(other.flow)
            flow = cv2.resize(other.flow.astype(np.float32) * scale, (size, size))
            values = torch.from_numpy(remap(values.numpy(), flow))
        weight = cv2.resize(other.weight, (size, size))
        total.addcmul_(torch.from_numpy(cv2.merge([weight] * channels)), values)
        weights += weight
    return total.div_(torch.from_numpy(cv2.merge([weights] * channels))).permute(2, 0, 1).to(image.dtype)


def _blend_on(image: Tensor, others: Sequence[Contribution]) -> Tensor:
    """The same on ``image``'s device, all others at once."""
    size, still = image.shape[-1], np.zeros((1, 1, 2), np.float32)
    weights = _enlarged([other.weight[..., None] for other in others], image)
    flows = [still if other.flow is None else other.flow.astype(np.float32) for other in others]
    # As shares of the image's half, which is what grid_sample counts in.
    flows = [flow * np.float32(2 / len(flow)) for flow in flows]
    side = max(map(len, flows))
    flow = _enlarged([np.broadcast_to(flow, (side, side, 2)) for flow in flows], image)
    places = (torch.arange(size, device=image.device) + 0.5) * (2 / size) - 1
    at = torch.stack(torch.meshgrid(places, places, indexing="xy"), dim=-1)
    values = torch.stack([other.image for other in others]).float()
    brought = F.grid_sample(values, at + flow.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
    total = (image + (weights * brought).sum(dim=0)) / (1 + weights.sum(dim=0))
    return total.to(image.dtype)


def _enlarged(maps: Sequence[np.ndarray], image: Tensor) -> Tensor:
    """``maps`` (M, M, C), K of them, at the image's size and on its device: (K, C, S, S) float32."""
    stacked = upload(np.stack(maps), image.device).float().permute(0, 3, 1, 2)
    return F.interpolate(stacked, image.shape[-2:], mode="bilinear", align_corners=False)
