"""The tint of a picture of one hue: grey, sepia, a cyanotype, a split-toned print.

In such a picture colour follows brightness along a curve. A restored face keeps to that curve, so that a
network trained on colour photographs does not draw pink lids or teal lashes into it. What the input shows
beside the curve is kept, but for the finest detail, so that a pale face in colour loses
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from ..luma import LUMA, luma
from ..planes import enlarge, local_mean, shrink
from .face_crop import RestoredFace, Source

REACH = 3  #: frames to each side that count when it is decided whether the input has colour

#: Resolution at which the curve is fitted, which the chroma of a small subsampled face has still, and the
#: rows and columns that show the face.
_SIDE, _FACE = 32, (slice(8, 28), slice(6, 26))
#: Resolution at which the input's deviations from the curve are kept: lips are some pixels high.
_KEPT_SIDE = 64
#: Points of the curve, evenly spread over luma.
_POINTS = 12
#: Values of luma for which the curve is evaluated: so many that rounding to them cannot be seen.
_STEPS = 1 << 14
#: Weights of the curve's squared first and second differences, relative to the number of pixels: where
#: no pixel has that brightness, the curve bends into a level.
_LEVEL, _SMOOTH = 2e-4, 2e-3
#: Rounds of the robust fit, in which pixels far from the curve (lips, a coloured thing in front) lose weight,
#: and the least distance in [0, 1] that counts as far.
_ROUNDS, _NEAR = 3, 0.3 / 255
#: Cells of 2 x 2 pixels in which deviations from the curve are averaged: finer ones are a codec's and noise.
_CELLS = (10, 10)
#: Brightness for which the limits below hold, and the least that deviations are scaled by: colour differences
#: grow with the light, so that flicker must not decide.
_BRIGHTNESS, _LEAST_BRIGHTNESS = 0.5, 0.15
#: RMS deviation of the cells from the curve, in [0, 1]: up to the first the picture is of one hue, from the
#: second on it is in colour. Measured on toned faces of 96 to 256 pixels after H.264 at CRF 23 to 32.
_GREY, _COLOURED = 2.0 / 255, 3.5 / 255


def measure_tints(images: Tensor) -> Tensor:
    """Fit the colour differences R - Y and B - Y of each of ``images`` (N, 3, S, S), RGB in [0, 1], as curves
    over luma.

    Returns (N, 2, 12 + 100) float32: the values of each curve at luma 0, 1/11, ..., 1; then the deviations
    from it in 10 x 10 cells over the face, for a face of medium brightness.
    """
    small = shrink(images, _SIDE)[..., *_FACE]
    brightness = luma(small, 1).flatten(1)
    differences = (small[:, ::2] - luma(small, 1)[:, None]).flatten(2)
    basis = _hats(brightness)
    curve, residual = _fit(basis, differences)
    cells = F.avg_pool2d(residual.unflatten(-1, small.shape[-2:]), 2)
    cells = local_mean(cells, 3)
    level = brightness.mean(-1).clamp_min(_LEAST_BRIGHTNESS)[:, None, None]
    return torch.cat((curve, cells.flatten(2) * (_BRIGHTNESS / level)), dim=-1)


def keep_hue(restored: Tensor, own: Tensor, tint: Tensor) -> Tensor:
    """``restored`` (3, S, S) without colour detail that its input has not, as far as the input is of one hue.

    The luma stays. Its colour is that of the curve at this luma, and what the input ``own`` (3, S, S) shows
    broadly beside the curve. ``tint`` (2, 112) is that of the frames around it (see :func:`measure_tints`).
    """
    deviation = float(tint[:, _POINTS:].square().mean().sqrt())
    grey = min(max((_COLOURED - deviation) / (_COLOURED - _GREY), 0.0), 1.0)
    if grey == 0:
        return restored
    curves, y, own_y = tint[:, :_POINTS].to(restored), luma(restored, 0), luma(own, 0)
    beside = shrink((own[::2] - own_y - _along(curves, own_y))[None], _KEPT_SIDE)
    beside = enlarge(beside, y.shape)[0]
    r, b = y + _along(curves, y) + beside
    g = (y - LUMA[0] * r - LUMA[2] * b) / LUMA[1]
    return restored.lerp(torch.stack((r, g, b)).clamp_(0, 1), grey)


def stabilise_colour(
    face: RestoredFace[Source], around: Sequence[tuple[int, RestoredFace[Source]]]
) -> RestoredFace[Source]:
    """``face`` with the hue that it is to be kept to: the median of its tint and those of the frames
    ``around`` it, so that the decision does not change within a shot."""
    tints = torch.stack([face.tint, *(other.tint for _, other in around)])
    return replace(face, hue=tints.median(dim=0).values)


def _along(curves: Tensor, y: Tensor) -> Tensor:
    """``curves`` (2, points) at each luma ``y`` (S, S): (2, S, S), linear between the points."""
    # To read a table takes a tenth of the time that interpolation for each pixel takes.
    table = F.interpolate(curves[None], _STEPS, mode="linear", align_corners=True)[0]
    place = (y.clamp(0, 1) * (_STEPS - 1)).round_().long()
    return torch.stack([curve.take(place) for curve in table])


def _hats(y: Tensor) -> Tensor:
    """The share that each point of a curve has at each luma ``y`` (N, P): (N, P, points)."""
    place = y.clamp(0, 1)[..., None] * (_POINTS - 1)
    return (1 - (place - torch.arange(_POINTS, device=y.device)).abs()).clamp_min(0)


def _fit(basis: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Fit curves to ``values`` (N, 2, P) by least squares, reweighted by Cauchy's rule.

    ``basis`` (N, P, points) is that of :func:`_hats`. Returns the curves (N, 2, points) and what they leave
    (N, 2, P).
    """
    count = values.shape[-1]
    prior = _roughness(basis.device, basis.dtype) * count
    weights = torch.ones_like(values[:, :1])
    curve, residual = values, values
    for _ in range(_ROUNDS):
        weighted = basis.mT * weights
        # solve_ex does not wait for a GPU, to see whether it failed; the prior keeps it from failing.
        curve = torch.linalg.solve_ex(weighted @ basis + prior, weighted @ values.mT).result.mT
        residual = values - curve @ basis.mT
        distance = residual.square().sum(1, keepdim=True).sqrt()
        near = 2 * distance.median(-1, keepdim=True).values + _NEAR
        weights = 1 / (1 + (distance / near).square())
    return curve, residual


@cache
def _roughness(device: torch.device, dtype: torch.dtype) -> Tensor:
    """(points, points): the quadratic form of a curve's weighted first and second differences."""
    first = torch.eye(_POINTS).diff(dim=0)
    second = first.diff(dim=0)
    # So little of the values themselves that it matters only where nothing else does.
    form = _LEVEL * first.T @ first + _SMOOTH * second.T @ second + 1e-6 * torch.eye(_POINTS)
    return form.to(device, dtype)
