"""The last step of a face before it is pasted back: what it owes to its own frame.

Blending over time improves detail and removes noise. Light is no noise: a lamp that flickers, a flash, a fade
belong to the frame they are in. So each face is finished with the crop of its own frame, as it was read.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .fidelity.covers import shown_share
from .planes import enlarge, in_order_of, shrink
from .temporal.blend import Window
from .temporal.colour_transfer import LIGHT_NOISE, broad_change, spread
from .temporal.face_crop import RestoredFace, Source
from .temporal.tint import keep_hue

#: Side in pixels with which the crop of its own frame is read: what a face owes to it is broad.
SIDE = 128
#: Pixels beside the mask in which colours are right as well: a sample of the frame may cover some of them.
_REACH = 16
#: How often the mean is corrected: a value at the end of the range cannot take its part of a correction.
_CORRECTIONS = 2
#: Side in pixels to which a crop is reduced to tell whether a place is clipped as a whole, and the range of
#: its mean distance from black or white over which the restored face gives way to the frame.
_PLACES, _CLIPPED = 64, (1.5 / 255, 4 / 255)


def finish(face: RestoredFace[Source], own: Tensor) -> RestoredFace[Source]:
    """``face`` as it is pasted back, with ``layers`` in float32.

    ``own`` (3, s, s), RGB in [0, 1], is the crop of its own frame as it was read, of about ``SIDE`` pixels.
    """
    layers = face.layers.to(torch.float32, copy=True)
    restored, mask = layers[:3], layers[3]
    side, seen = own.shape[-1], None
    window = _beside(face.window)
    if face.cover is not None:
        shown = shown_share(face.cover, len(mask), mask.device)
        mask.mul_(shown)
        seen = shrink(shown[None, None], side)
    small, weight = shrink(layers[None], side).split((3, 1), dim=1)
    change = broad_change(small, own[None], seen, noise=LIGHT_NOISE)
    small = (small + spread(change, side)).clamp_(0, 1)
    unclipped = _unclipped(own[None], weight)
    if unclipped is not None:
        small = own.lerp(small, enlarge(unclipped, (side, side)))
        _add(layers, change, window)
        _fade(layers, own[None], unclipped, window)
        change = torch.zeros_like(change)
    _add(layers, change + _missing(small[0], own, weight[0, 0]), window)
    if face.hue is not None and (hued := keep_hue(restored, own, face.hue)) is not restored:
        restored.copy_(hued)
    return replace(face, layers=layers)


def _beside(window: Window | None) -> Window:
    """A ``window``, wider by what a sample of the frame may reach; None: the whole."""
    if window is None:
        return slice(None), slice(None)
    rows, columns = (slice(max(part.start - _REACH, 0), part.stop + _REACH) for part in window)
    return rows, columns


def _fade(layers: Tensor, own: Tensor, unclipped: Tensor, window: Window) -> None:
    """Fade the colours of ``layers`` (4, S, S) in ``window``, in place, to ``own`` (1, 3, s, s) where
    ``unclipped`` (1, 3, M, M) is not 1. There the frame shows no detail, so that ``own`` need not be as
    large."""
    own, share = (in_order_of(F.pad(x, (0, 0, 0, 0, 0, 1), value=1), layers[None]) for x in (own, unclipped))
    own, share = (enlarge(x, layers.shape[-2:])[0, :, *window] for x in (own, share))
    part = layers[:, *window]
    part.copy_(own.lerp_(part, share))


def _add(layers: Tensor, change: Tensor, window: Window) -> None:
    """Add a broad ``change`` (1, 3, 16, 16) of colours to ``layers`` (4, S, S) in ``window``, in place."""
    change = in_order_of(F.pad(change, (0, 0, 0, 0, 0, 1)), layers[None])
    layers[:, *window].add_(spread(change, layers.shape[-1], window)[0]).clamp_(0, 1)


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
