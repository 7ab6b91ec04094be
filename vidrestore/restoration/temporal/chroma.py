"""Colours that a network gives to a grey face, held steady over its track.

A network decides the colours of each frame anew. Broad colours are averaged over all frames around, as shares
of brightness, so that they follow a lamp that is dimmed and a fade to black; finer ones are the frame's own.
A place that is darker or brighter there than the change of light explains shows something else, and does not
count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..luma import luma
from .colour_transfer import broad_change, spread
from .face_crop import RestoredFace, Source

REACH = 24  #: frames to each side that count

#: How often a change of broad colours is corrected: an average over a place takes in those beside it.
_CORRECTIONS = 3
#: Added to brightness: in the dark a share of it says little.
_DARK = 0.05
#: Difference of a place's brightness from what the change of light over the face explains, as a logarithm, at
#: which it counts a quarter.
_ELSE = 0.5


def chroma_of(images: Tensor) -> Tensor:
    """``images`` (N, 3, H, W) RGB less their luma."""
    return images - luma(images, 1)[:, None]


def broad(x: Tensor) -> Tensor:
    """``x`` (N, 3, S, S) averaged to (N, 3, 16, 16)."""
    return broad_change(torch.zeros_like(x), x)


def measure_chroma(images: Tensor, restored: Tensor) -> Tensor:
    """The broad colours of ``restored`` (N, 3, S, S) as shares of the brightness of ``images``, which they
    colour, and that brightness: (N, 4, 16, 16)."""
    brightness = broad(luma(images, 1)[:, None].expand_as(images))[:, :1]
    return torch.cat((broad(chroma_of(restored)) / (brightness + _DARK), brightness), dim=1)


def steady_chroma(
    face: RestoredFace[Source], around: Sequence[tuple[int, RestoredFace[Source]]]
) -> RestoredFace[Source]:
    """``face`` with the broad colours that it is to be kept to: the mean of its own and of those ``around``,
    nearer ones counting more."""
    measured = torch.stack([face.tint, *(other.tint for _, other in around)])
    near = torch.tensor([1.0, *(1 - abs(offset) / (REACH + 1) for offset, _ in around)])
    brightness = (measured[:, 3:] + _DARK).log()
    change = brightness - brightness[:1]
    unlike = change - change.flatten(1).median(dim=1).values[:, None, None, None]
    weights = near[:, None, None, None] / (1 + (unlike / _ELSE).square()).square()
    return replace(face, hue=(weights * measured[:, :3]).sum(0) / weights.sum(0))


def missing_chroma(coloured: Tensor, brightness: Tensor, shares: Tensor) -> Tensor:
    """What the broad colours of ``coloured`` (3, S, S) lack of those that are ``shares`` (3, 16, 16) of the
    ``brightness`` (S, S) beneath: (1, 3, 16, 16), to be spread over it."""
    level = broad(brightness.expand(1, 3, -1, -1))
    found, total = chroma_of(coloured[None]), torch.zeros_like(level)
    for _ in range(_CORRECTIONS):
        change = shares[None] * (level + _DARK) - broad(found)
        found = found + spread(change, found.shape[-1])
        total += change
    return total
