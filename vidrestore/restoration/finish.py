"""The last step of a face before it is pasted back: what it owes to its own frame.

Blending over time improves detail and removes noise. Light is no noise: a lamp that flickers, a flash, a fade
belong to the frame they are in. So each face is finished with the crop of its own frame, as it was read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from .fidelity.covers import shown_share
from .planes import enlarge, shrink
from .temporal.colour_transfer import LIGHT_NOISE, broad_change, spread
from .temporal.face_crop import RestoredFace, Source
from .temporal.tint import keep_hue

#: Side in pixels at which the crop of its own frame is read: what a face owes to it is broad.
_SIDE = 128
#: How often the mean is corrected: a value at the end of the range cannot take its part of a correction.
_CORRECTIONS = 2
#: Side in pixels to which a crop is reduced to tell whether a place is clipped as a whole, and the range of
#: its mean distance from black or white over which the restored face gives way to the frame.
_PLACES, _CLIPPED = 64, (1.5 / 255, 4 / 255)


def finish(face: RestoredFace[Source], read: Callable[[int], Tensor]) -> RestoredFace[Source]:
    """``face`` as it is pasted back, with ``layers`` in float32.

    ``read`` returns the crop of its own frame as it is in the frame, (3, side, side) RGB in [0, 1], for a
    side in pixels.
    """
    layers = face.layers.float().contiguous()
    restored, mask = layers[:3], layers[3]
    own = read(min(_SIDE, len(mask)))
    shown = None
    if face.cover is not None:
        shown = shown_share(face.cover, len(mask), mask.device)
        mask.mul_(shown)
    _give_light(restored, mask, shown, own, read)
    if face.hue is not None:
        restored.copy_(keep_hue(restored, own, face.hue))
    return replace(face, layers=layers)


def _give_light(
    restored: Tensor, mask: Tensor, shown: Tensor | None, own: Tensor, read: Callable[[int], Tensor]
) -> None:
    """Give ``restored`` (3, S, S), changed in place, the broad brightness and colour of ``own``, its mean
    under ``mask`` (S, S), and what is white or black in it. ``shown`` (S, S) in [0, 1] is 0 where something
    lies over the face, None if nothing does."""
    size, own = len(mask), own[None]
    small, weight = shrink(restored[None], own.shape[-1]), shrink(mask[None, None], own.shape[-1])
    seen = None if shown is None else shrink(shown[None, None], own.shape[-1])
    change = broad_change(small, own, seen, noise=LIGHT_NOISE)
    small.add_(spread(change, own.shape[-1])).clamp_(0, 1)
    unclipped = _unclipped(own, weight)
    if unclipped is not None:
        small = own.lerp(small, enlarge(unclipped, own.shape[-2:]))
        # Where the frame shows no detail, none is drawn.
        restored.add_(spread(change, size)[0]).clamp_(0, 1)
        restored.copy_(read(size).lerp(restored, enlarge(unclipped, (size, size))[0]))
        change = torch.zeros_like(change)
    change = change + _missing(small[0], own[0], weight[0, 0])
    restored.add_(spread(change, size)[0]).clamp_(0, 1)


def _missing(restored: Tensor, own: Tensor, mask: Tensor) -> Tensor:
    """What ``restored`` (3, H, W) lacks, (3, 1, 1), to have the mean of ``own`` (3, H, W) under ``mask``
    (H, W), all in [0, 1]."""
    shares = (mask / mask.sum().clamp_min(1e-6)).flatten()
    mean = own.flatten(1) @ shares
    total = torch.zeros_like(mean)
    for _ in range(_CORRECTIONS):
        shifted = (restored + total[:, None, None]).clamp_(0, 1)
        total += mean - shifted.flatten(1) @ shares
    return total[:, None, None]


def _unclipped(own: Tensor, mask: Tensor) -> Tensor | None:
    """How far places of ``own`` (1, 3, H, H) under ``mask`` (1, 1, H, H), in [0, 1], are neither white nor
    black, in each channel, (1, 3, 64, 64); None if all are."""
    side = min(_PLACES, own.shape[-1])
    room = shrink(torch.minimum(own, 1 - own), side)
    low, high = _CLIPPED
    share = (room - low) / (high - low) + (shrink(mask, side) == 0)
    # Nearly always so. On a GPU reading the answer would wait.
    if share.device.type == "cpu" and share.min() >= 1:
        return None
    return share.clamp_(0, 1)
