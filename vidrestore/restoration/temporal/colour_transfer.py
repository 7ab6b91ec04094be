"""Keep the input's colours in restored faces: no colour cast, no flicker in brightness, grey stays grey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from ..luma import LUMA, luma
from .face_crop import RestoredFace, Source

REACH = 3  #: frames to each side that count when it is decided whether the input has colour

#: Resolution in pixels at which colours follow the input: of a 512-pixel face, each of these pixels covers
#: 32 x 32, more than any feature that restoration draws.
_SIDE = 16
#: Difference of such a colour between a face that was averaged over time and its own frame that may be noise.
LIGHT_NOISE = 1.5 / 255
#: Shares and sides of the averages, in pixels of that resolution, that count where no pixel is to be counted.
_FILL = ((0.01, 3), (0.01, 7), (0.01, 2 * _SIDE - 1))
#: Resolution at which the tint is measured, and the rows and columns that show the face.
_TINT_SIDE, _FACE = 64, (slice(16, 56), slice(12, 52))
#: RMS deviation of the colour differences from a pure tint (a function of luma alone), in [0, 1]: up to the
#: first the picture is grey or uniformly tinted, from the second on it is in colour. At this resolution a
#: codec's noise stays below 1 / 255 and a pale face has 4 / 255.
_GREY, _COLOURED = 1.2 / 255, 2.5 / 255


def match_colours(
    restored: Tensor, images: Tensor, weight: Tensor | None = None, *, noise: float = 0.0
) -> Tensor:
    """``restored`` (N, 3, S, S) with the low-frequency colours of ``images``, both RGB in [0, 1].

    Differences up to about ``noise`` remain: what is left out of any difference is at most half of that.

    ``weight`` (N, 1, S, S) in [0, 1] says which pixels count, all without it: one that something covers must
    not change the colours around it. Where few pixels count, those around them do.
    """
    down, up = (matrix.to(restored) for matrix in _resampling(restored.shape[-1]))
    change = images - restored
    change = down @ change @ down.T if weight is None else _weighted_mean(change, weight, down)
    if noise:
        change = change.pow(3) / (change.square() + noise**2)
    return (up @ change @ up.T).add_(restored).clamp_(0, 1)


def _weighted_mean(x: Tensor, weight: Tensor, down: Tensor) -> Tensor:
    """``x`` (N, C, S, S) reduced by ``down``, each pixel counting by ``weight`` (N, 1, S, S)."""
    sums, weights = down @ (x * weight) @ down.T, down @ weight.to(x) @ down.T
    # A little of ever wider averages fills what has no weight of its own.
    for share, side in _FILL:
        wide = [F.avg_pool2d(y, side, 1, side // 2, count_include_pad=False) for y in (sums, weights)]
        sums, weights = (y + share * z for y, z in zip((sums, weights), wide, strict=True))
    return sums / (weights + 1e-9)


@cache
def _resampling(size: int) -> tuple[Tensor, Tensor]:
    """Two matrices: (_SIDE, size) averages ``size`` pixels to _SIDE and smooths them by (1, 2, 1) with a
    replicated border; (size, _SIDE) interpolates linearly back."""
    mean = F.interpolate(torch.eye(size)[None], _SIDE, mode="area")[0].T
    padded = F.pad(mean.T[None], (1, 1), mode="replicate")[0].T
    down = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    up = F.interpolate(torch.eye(_SIDE)[None], size, mode="linear", align_corners=False)[0].T
    return down, up


def replace_non_finite(restored: Tensor, images: Tensor) -> Tensor:
    """``restored`` (N, 3, S, S) with ``images`` where it is not finite, which can happen in reduced precision
    and would show as a black face."""
    # One pass tells that all is finite, which is nearly always so. On a GPU reading the answer would wait.
    if restored.device.type == "cpu" and restored.float().sum().isfinite():
        return restored
    return torch.where(torch.isfinite(restored).all(dim=1, keepdim=True), restored, images)


def measure_tints(images: Tensor) -> Tensor:
    """Fit the colour differences of each of ``images`` (N, 3, S, S) as linear functions of its luma.

    Returns (N, 5) float32: offset and slope of R - Y, offset and slope of B - Y, and the RMS deviation from
    these fits.
    """
    small = F.interpolate(images.float(), (_TINT_SIDE, _TINT_SIDE), mode="area")
    faces = small[..., *_FACE].flatten(2)
    brightness = luma(faces, 1)[:, None]
    differences = faces[:, ::2] - brightness
    centred = brightness - brightness.mean(-1, keepdim=True)
    slope = (differences * centred).mean(-1) / (centred.square().mean(-1) + 1e-6)
    offset = differences.mean(-1) - slope * brightness.mean(-1)
    residual = differences - offset[..., None] - slope[..., None] * brightness
    deviation = residual.square().mean((1, 2)).sqrt()[:, None]
    return torch.cat((torch.stack((offset, slope), dim=-1).flatten(1), deviation), dim=1)


def keep_grey(restored: Tensor, tints: Tensor) -> Tensor:
    """``restored`` (3, S, S) with its colours replaced by the input's tint as far as the input is grey.

    ``tints`` (K, 5) are those of K frames around it (see :func:`measure_tints`); their median counts, so that
    the decision does not change within a shot.
    """
    red, red_slope, blue, blue_slope, deviation = tints.median(dim=0).values.tolist()
    grey = min(max((_COLOURED - deviation) / (_COLOURED - _GREY), 0.0), 1.0)
    if grey == 0:
        return restored
    y = luma(restored, 0)
    r, b = y + red + red_slope * y, y + blue + blue_slope * y
    g = (y - LUMA[0] * r - LUMA[2] * b) / LUMA[1]
    return restored.lerp(torch.stack((r, g, b)).clamp(0, 1), grey)


def stabilise_colour(
    face: RestoredFace[Source], around: Sequence[tuple[int, RestoredFace[Source]]]
) -> RestoredFace[Source]:
    """``face`` kept grey if the frames ``around`` it are grey."""
    tints = torch.stack([face.tint, *(other.tint for _, other in around)])
    kept = keep_grey(face.restored, tints)
    return replace(face, layers=torch.cat((kept, face.mask[None])))
