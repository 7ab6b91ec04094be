"""Limit how much sharper than in its input an edge becomes.

A Laplacian responds to an edge equally in every octave down to the one at which blur has removed it. So an
edge of a soft input is still seen an octave below, and restoration may bring some of it back; an edge that is
much sharper is the model's own: a hook at the corner of an eye, a black outline around a nostril.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..planes import binomial, enlarge, local_maximum, local_mean, shrink

#: How far the response in the finest octave and in the next may exceed the input's own, as a share of the
#: input's response an octave below. With more the outlines that ``lite`` draws in faces degraded at the level
#: "medium" look painted; with less the eyes of mildly degraded ones lose what it brings back.
_GAINS = (0.06, 0.12)
#: The same in levels of 255, where the input has no edge.
_LEAST = 0.3
#: How much contrast the octave below gains at ``sharpening`` 1. With less the eyes of faces degraded at the
#: level "medium" come out flatter than they were, since their blocks are removed and few edges are drawn.
_SHARPENED = 0.3
#: Change in levels of 255 from which on a place is sharpened wholly, and side of the square, in pixels of
#: that octave, in which it is averaged: what restoration leaves alone is not sharpened.
_CHANGED, _PLACE = 1.0, 5
#: Side of the square in which responses are averaged, and of that in which the largest of the input's counts.
_SIDE = 3


def hold_edges(restored: Tensor, inputs: Tensor, share: Tensor, sharpening: Tensor) -> Tensor:
    """Reduce what is much sharper in restored faces than in their inputs.

    The limit is soft: responses beyond that of the input are compressed. In place of edges that a model draws
    those that blur has left are made a little steeper by an unsharp mask, which invents no shape.

    Args:
        restored: (N, 1, H, W) luma in [0, 1]; H and W are multiples of 8.
        inputs: The same of the inputs.
        share: (N, 1, 1, 1): share of the usual limit.
        sharpening: (N, 1, 1, 1) in [0, 1]: share of the usual sharpening, which only what is restored gets.

    Returns:
        (N, 1, H, W).
    """
    own, _ = _octaves(inputs, len(_GAINS) + 1)
    own = [local_maximum(_magnitude(octave), _SIDE) for octave in own]
    drawn, result = _octaves(restored, len(_GAINS))
    changed = local_mean(shrink((restored - inputs).abs_(), result.shape[-2:]), _PLACE)
    changed = changed.mul_(255 / _CHANGED).clamp_(max=1).mul_(_SHARPENED * sharpening)
    result = result + changed * (result - binomial(binomial(result)))
    for i in reversed(range(len(_GAINS))):
        size = drawn[i].shape[-2:]
        most = enlarge(own[i + 1], size).mul_(_GAINS[i] * share).add_(share * _LEAST / 255)
        magnitude = _magnitude(drawn[i]).clamp_min_(1e-6)
        excess = (magnitude - own[i]).clamp_min_(0)
        # As in the limit of the range: slope 1 where the excess begins, never more than ``most``.
        kept = magnitude - excess - most * torch.expm1(-excess / most)
        result = enlarge(result, size) + drawn[i] * (kept / magnitude)
    return result


def _octaves(x: Tensor, count: int) -> tuple[list[Tensor], Tensor]:
    """The ``count`` finest octaves of a Laplacian pyramid (Burt and Adelson, 1983) of ``x``, and the rest."""
    octaves = []
    for _ in range(count):
        low = shrink(binomial(x), [side // 2 for side in x.shape[-2:]])
        octaves.append(x - enlarge(low, x.shape[-2:]))
        x = low
    return octaves, x


def _magnitude(octave: Tensor) -> Tensor:
    # OpenCV keeps running sums, whose rounding may leave less than nothing.
    return local_mean(octave.square(), _SIDE).clamp_min_(0).sqrt_()
