"""Blend an image with others that are warped to it along their optical flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...runtime.cuda_streams import upload
from ...runtime.sampling import sample
from .light import Light


@dataclass(frozen=True, slots=True)
class Contribution:
    """An image that takes part in a blend. The maps may be smaller than the image: (M, M)."""

    image: Tensor  #: (C, S, S)
    flow: np.ndarray | None  #: (M, M, 2): offset of each pixel's source in ``image``, as x, y in map pixels
    weight: np.ndarray  #: (M, M) float32, relative to a weight of 1 for the image that it is blended with
    light: Light | None = None  #: what is done to the warped image's first three channels, which are RGB


#: Weight below which a contribution is left out.
_LEAST = 1 / 256
#: Rows and columns of an image.
Window = tuple[slice, slice]
_WHOLE: Window = (slice(None), slice(None))


def blend(image: Tensor, others: Sequence[Contribution], shown: Window | None = None) -> Tensor:
    """The weighted mean of ``image`` (C, S, S) and the ``others``, in its dtype. Only the window ``shown``
    matters, by default the whole: elsewhere a CPU leaves ``image`` as it is."""
    others = [
        replace(other, weight=np.where(other.weight < _LEAST, np.float32(0), other.weight))
        for other in others
        if other.weight.max() >= _LEAST
    ]
    if not others:
        return image
    size, side = image.shape[-1], len(others[0].weight)
    if image.device.type != "cpu":
        blended = _blend_torch(image, others)
    elif shown is None or size % side:
        blended = _blend_opencv(image, others, (slice(0, side), slice(0, side)))
    else:
        # A map's pixel more to each side, so that interpolation of the maps is the same inside.
        step = size // side
        rows, columns = (
            slice(max(part.start // step - 1, 0), min(-(-part.stop // step) + 1, side)) for part in shown
        )
        blended = channels_last(image.clone())
        inside = _scaled(rows, size / side), _scaled(columns, size / side)
        blended[:, *inside] = _blend_opencv(image, others, (rows, columns))
    return blended.clamp_(0, 1) if any(other.light for other in others) else blended


def channels_last(image: Tensor) -> Tensor:
    """``image`` (C, H, W) with the channels of each pixel adjacent in memory, as OpenCV stores images."""
    return image.permute(1, 2, 0).contiguous().permute(2, 0, 1)


def remap(image: np.ndarray, flow: np.ndarray, window: Window = _WHOLE) -> np.ndarray:
    """``image`` (S, S, C) sampled at each pixel of ``window``, the whole by default, plus ``flow`` (H, W, 2)
    float32; the border is replicated."""
    places = flow + pixel_grid(len(image))[window]
    # OpenCV's stubs do not know that the second map may be None.
    return cv2.remap(  # pyright: ignore[reportCallIssue]
        image,
        places,
        None,  # pyright: ignore[reportArgumentType]
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


@cache
def pixel_grid(size: int) -> np.ndarray:
    """The coordinates of each pixel, as x, y: (size, size, 2) float32."""
    return np.stack(np.meshgrid(*2 * [np.arange(size, dtype=np.float32)]), axis=-1)


def _blend_opencv(image: Tensor, others: Sequence[Contribution], maps: Window) -> Tensor:
    """The blend in the window that is ``maps`` in pixels of the maps, on a CPU, where it is three times as
    fast as :func:`_blend_torch`.

    A gain is a factor of the weight. Offsets and weights are summed before they are enlarged. Weights are
    repeated for each channel: broadcasting over so few channels takes longer than the rest. Memory is used
    again, since a CPU takes as long to provide it as to fill it.
    """
    scale = image.shape[-1] / len(others[0].weight)
    across = _scaled(maps[1], scale)
    whole = _scaled(maps[0], scale)
    total = torch.from_numpy(_four_channels(image[:, whole, across]))
    values, space = torch.empty_like(total), np.empty(total.shape, np.float32)
    width = total.shape[1]

    def enlarge(x: np.ndarray, rows: slice, out: np.ndarray | None = None) -> np.ndarray:
        part = _scaled(rows, scale)
        return cv2.resize(x[rows, maps[1]], (width, part.stop - part.start), dst=out)

    for other in others:
        # A scale that is no whole number would put the rows elsewhere.
        rows = _occupied_rows(other.weight, maps) if scale.is_integer() else maps[0]
        if rows.start == rows.stop:
            continue
        down = _scaled(rows, scale)
        inside = slice(down.start - whole.start, down.stop - whole.start)
        if other.flow is None:
            value = values[inside]
            value[..., : len(image)].copy_(other.image[:, down, across].permute(1, 2, 0))
        else:
            flow = enlarge(other.flow.astype(np.float32) * scale, rows)
            value = torch.from_numpy(remap(_four_channels(other.image), flow, (down, across)))
        factor = _repeated(other.weight)
        if other.light:
            factor[..., :3] = _gain(other)
        total[inside].addcmul_(torch.from_numpy(enlarge(factor, rows, space[inside])), value)
    lit = [_offset(other) for other in others if other.light]
    if lit:
        offset = np.pad(np.sum(lit, axis=0), ((0, 0), (0, 0), (0, 1)))
        total += torch.from_numpy(enlarge(offset, maps[0], space))
    weights = _repeated(1 + np.sum([other.weight for other in others], axis=0))
    blended = total.div_(torch.from_numpy(enlarge(weights, maps[0], space))).numpy()
    if len(image) == 3:
        blended = cv2.cvtColor(blended, cv2.COLOR_RGBA2RGB)
    return torch.from_numpy(blended).permute(2, 0, 1).to(image.dtype)


def _occupied_rows(weight: np.ndarray, maps: Window) -> slice:
    """The rows of the window ``maps`` that hold its part of ``weight``, with those beside them, into which
    interpolation carries it."""
    rows, columns = maps
    held = np.flatnonzero(weight[rows, columns].any(axis=1)) + rows.start
    if not len(held):
        return slice(rows.start, rows.start)
    return slice(max(int(held[0]) - 1, rows.start), min(int(held[-1]) + 2, rows.stop))


def _scaled(part: slice, scale: float) -> slice:
    return slice(round(part.start * scale), round(part.stop * scale))


def _four_channels(image: Tensor) -> np.ndarray:
    """A copy of ``image`` (C, H, W) of 3 or 4 channels as (H, W, 4) float32: OpenCV warps four channels in
    half the time that three take."""
    values = channels_last(image.to(torch.float32, copy=True)).permute(1, 2, 0).numpy()
    return values if values.shape[2] == 4 else cv2.cvtColor(values, cv2.COLOR_RGB2RGBA)


def _repeated(weight: np.ndarray) -> np.ndarray:
    """``weight`` (M, M) for each of four channels: (M, M, 4)."""
    return np.repeat(weight[..., None], 4, axis=2)


def _blend_torch(image: Tensor, others: Sequence[Contribution]) -> Tensor:
    """The blend on ``image``'s device, all ``others`` at once."""
    size, still = image.shape[-1], np.zeros((1, 1, 2), np.float32)
    weights = _enlarge([other.weight[..., None] for other in others], image)
    flows = [still if other.flow is None else other.flow.astype(np.float32) for other in others]
    # The sampler's coordinates run from -1 to 1 over the image.
    flows = [flow * np.float32(2 / len(flow)) for flow in flows]
    side = max(map(len, flows))
    flow = _enlarge([np.broadcast_to(flow, (side, side, 2)) for flow in flows], image)
    places = (torch.arange(size, device=image.device) + 0.5) * (2 / size) - 1
    at = torch.stack(torch.meshgrid(places, places, indexing="xy"), dim=-1)
    values = torch.stack([other.image for other in others]).float()
    warped = sample(values, at + flow.permute(0, 2, 3, 1))
    total = image + (weights * warped).sum(dim=0)
    lit = [i for i, other in enumerate(others) if other.light]
    if lit:
        change = _enlarge([_gain(others[i]) - others[i].weight[..., None] for i in lit], image)
        change = change * warped[lit, :3] + _enlarge([_offset(others[i]) for i in lit], image)
        total[:3] += change.sum(dim=0)
    return (total / (1 + weights.sum(dim=0))).to(image.dtype)


def _gain(other: Contribution) -> np.ndarray:
    """The gain of its light times its weight: (M, M, 3)."""
    assert other.light
    return cv2.resize(other.light.gain, other.weight.shape) * other.weight[..., None]


def _offset(other: Contribution) -> np.ndarray:
    """The offset of its light times its weight: (M, M, 3)."""
    assert other.light
    return cv2.resize(other.light.offset / np.float32(255), other.weight.shape) * other.weight[..., None]


def _enlarge(maps: Sequence[np.ndarray], image: Tensor) -> Tensor:
    """K ``maps`` (M, M, C) at the image's size and on its device: (K, C, S, S) float32."""
    stacked = upload(np.stack(maps), image.device).float().permute(0, 3, 1, 2)
    return F.interpolate(stacked, image.shape[-2:], mode="bilinear", align_corners=False)
