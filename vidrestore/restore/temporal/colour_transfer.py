"""The colours of a restored face are its input's: no cast, no flicker in brightness, grey stays grey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from ..luma import LUMA, luma
from .face_crop import Portrait

REACH = 3  #: frames to each side that decide whether there is colour

#: The side at which colours follow the input: each of its pixels stands for 32 x 32 of a face of 512, more
#: than any feature that restoration draws.
_SIDE = 16
#: The side at which it is judged whether there is colour, and which part of the crop the face is.
_JUDGED, _FACE = 64, (slice(16, 56), slice(12, 52))
#: Deviation of the colour differences, in [0, 1], from a tint that only depends on brightness: below the
#: first a picture is grey, or tinted all over; above the second it is in colour. Noise of a codec stays below
#: 1 / 255 at that size, a pale face is at 4 / 255.
_GREY, _COLOURED = 1.2 / 255, 2.5 / 255


def follow_colours(restored: Tensor, images: Tensor) -> Tensor:
    """``restored`` (N, 3, S, S) with the broad colours of ``images``, both RGB in [0, 1]."""
    broad, full = (matrix.to(restored) for matrix in _to_broad_and_back(restored.shape[-1]))
    change = broad @ (images - restored) @ broad.T
    return (full @ change @ full.T).add_(restored).clamp_(0, 1)


@cache
def _to_broad_and_back(size: int) -> tuple[Tensor, Tensor]:
    """What brings ``size`` pixels to as many as colours are followed at, by their mean, smoothed with a
    (1, 2, 1) whose border repeats itself, and linearly back: (_SIDE, size) and (size, _SIDE)."""
    mean = F.interpolate(torch.eye(size)[None], _SIDE, mode="area")[0].T
    padded = F.pad(mean.T[None], (1, 1), mode="replicate")[0].T
    smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    back = F.interpolate(torch.eye(_SIDE)[None], size, mode="linear", align_corners=False)[0].T
    return smooth, back


def only_finite(restored: Tensor, images: Tensor) -> Tensor:
    """``restored`` (N, 3, S, S), and the input where it is not finite, as in reduced precision may happen:
    such a face would be black."""
    # Found in one pass, and nearly always so; a GPU would be waited for.
    if restored.device.type == "cpu" and restored.float().sum().isfinite():
        return restored
    return torch.where(torch.isfinite(restored).all(dim=1, keepdim=True), restored, images)


def measure_tints(images: Tensor) -> Tensor:
    """What the colour differences of ``images`` (N, 3, S, S) are as linear functions of their luma, and how
    far they are off it: (N, 5) R - Y at black and its slope, B - Y at black and its slope, deviation."""
    small = F.interpolate(images.float(), (_JUDGED, _JUDGED), mode="area")
    faces = small[..., *_FACE].flatten(2)
    brightness = luma(faces, 1)[:, None]
    differences = faces[:, ::2] - brightness
    centred = brightness - brightness.mean(-1, keepdim=True)
    slope = (differences * centred).mean(-1) / (centred.square().mean(-1) + 1e-6)
    at_black = differences.mean(-1) - slope * brightness.mean(-1)
    left = differences - at_black[..., None] - slope[..., None] * brightness
    deviation = left.square().mean((1, 2)).sqrt()[:, None]
    return torch.cat((torch.stack((at_black, slope), dim=-1).flatten(1), deviation), dim=1)


def keep_grey(restored: Tensor, tints: Tensor) -> Tensor:
    """``restored`` (3, S, S), with no colours but the tint as far as its input has none: ``tints`` (K, 5) are
    those of the frames around it, of which the median counts, so that it does not change within a shot."""
    red, red_slope, blue, blue_slope, deviation = tints.median(dim=0).values.tolist()
    grey = min(max((_COLOURED - deviation) / (_COLOURED - _GREY), 0.0), 1.0)
    if grey == 0:
        return restored
    y = luma(restored, 0)
    r, b = y + red + red_slope * y, y + blue + blue_slope * y
    g = (y - LUMA[0] * r - LUMA[2] * b) / LUMA[1]
    return restored.lerp(torch.stack((r, g, b)).clamp(0, 1), grey)


def steady_colour(portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
    """``portrait``, restored, kept grey where the frames around it say that it is."""
    tints = torch.stack([portrait.tint, *(other.tint for _, other in around)])
    kept = keep_grey(portrait.restored, tints)
    return replace(portrait, layers=torch.cat((kept, portrait.mask[None])))
