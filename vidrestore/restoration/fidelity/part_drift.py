"""Detect restored eyes and mouths whose shape is not that of their input.

:mod:`.identity_guard` compares whole faces at 32 pixels. This is the same for each part at 64 and 128 pixels,
where the shape of an eye shows. How far a perfect restoration departs from its input depends on how much of
that detail the input has; the constants are measured on clean faces against the same faces degraded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ...runtime.ramps import smoothstep
from ..planes import binomial, shrink
from .face_quality import FaceQuality

#: Side in pixels of the faces that are compared, and of the maps of their parts.
SIDE = 128


class _Scale(NamedTuple):
    """How parts are compared at one resolution."""

    shrink: int  #: factor from SIDE
    #: Drift of 97 % of clean parts from their inputs, for an input of the sharpness ``_WORN``. It falls by
    #: e ** -(sharpness * _FALL) down to ``_LEAST``.
    free: float


_SCALES = (_Scale(2, 0.12), _Scale(1, 0.26))
_WORN, _FALL, _LEAST = 0.215, 12.0, 0.012
#: Drift, in units of the free one, from which on the part is another one. Between the parts of two people
#: drift is at least 0.22 (3 % quantile), whatever their quality.
_LOST, _LOST_OFFSET = 3.0, 0.06
#: Deviation in levels of 255 that noise may have after averaging: in a part without contrast, such as a
#: closed lid in the dark, it decides about the correlation.
_NOISE = 2.0


def part_drift(restored: Tensor, images: Tensor, maps: Tensor, qualities: Sequence[FaceQuality]) -> Tensor:
    """How far each part of N restored faces departs from its input, beyond what restoration explains.

    Args:
        restored: (N, SIDE, SIDE), the luma of the restored faces in [0, 1].
        images: The same of their inputs.
        maps: (N, 3, SIDE, SIDE), see :class:`.parts.Parts`.
        qualities: The quality of the N inputs.

    Returns:
        (N, 3) in [0, 1]: 0 for the same part, 1 for another one.
    """
    sharpness = torch.tensor([quality.sharpness for quality in qualities]).to(restored)
    beyond = []
    for scale in _SCALES:
        a, b, weights = (shrink(x, SIDE // scale.shrink) for x in (restored[:, None], images[:, None], maps))
        # Smoothed, since the finest octave has aliases.
        drift = 1 - _correlation(binomial(a), binomial(b), weights)
        free = scale.free * torch.exp(-_FALL * (sharpness - _WORN).clamp_min(0))
        free = free.clamp_min(_LEAST)[:, None]
        lost = _LOST * free + _LOST_OFFSET
        beyond.append((drift - free) / (lost - free))
    return smoothstep(torch.stack(beyond).amax(dim=0))


def _correlation(a: Tensor, b: Tensor, weights: Tensor) -> Tensor:
    """The correlation of ``a`` and ``b`` (N, 1, M, M) under each of ``weights`` (N, K, M, M): (N, K)."""
    total = weights.sum(dim=(2, 3)).clamp_min(1e-6)

    def mean(x: Tensor) -> Tensor:
        return (x * weights).sum(dim=(2, 3)) / total

    mean_a, mean_b = mean(a), mean(b)
    product = mean(a * b) - mean_a * mean_b
    variances = [(mean(x * x) - m * m).clamp_min(0) for x, m in ((a, mean_a), (b, mean_b))]
    noise = (_NOISE / 255) ** 2
    return (product + noise) / ((variances[0] * variances[1]).sqrt() + noise)
