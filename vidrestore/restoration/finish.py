"""The last step of a face before it is pasted back: what it owes to its own frame.

Blending over time improves detail and removes noise. Light is no noise: a lamp that flickers, a flash, a fade
belong to the frame they are in. So each face is finished with the crop of its own frame, as it was read.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from .fidelity.covers import shown_share
from .planes import enlarge, shrink
from .temporal.colour_transfer import LIGHT_NOISE, match_colours
from .temporal.face_crop import RestoredFace, Source
from .temporal.tint import keep_hue

#: How often the mean is corrected: a value at the end of the range cannot take its part of a correction.
_CORRECTIONS = 2
#: Side in pixels of a place that is clipped as a whole, and the range of its mean distance from black or
#: white over which the restored face gives way to the frame.
_SURROUNDINGS, _CLIPPED = 8, (1.5 / 255, 4 / 255)


def finish(face: RestoredFace[Source], own: Tensor) -> RestoredFace[Source]:
    """``face`` as it is pasted back, with ``layers`` in float32.

    ``own`` (3, S, S), RGB in [0, 1], is the crop of its own frame as it was read.
    """
    layers = face.layers.float().contiguous()
    restored, mask = layers[:3], layers[3]
    shown = None
    if face.cover is not None:
        shown = shown_share(face.cover, len(mask), mask.device)
        mask.mul_(shown)
    restored = give_light(restored, own, mask, shown)
    if face.hue is not None:
        restored = keep_hue(restored, own, face.hue)
    layers[:3] = restored
    return replace(face, layers=layers)


def give_light(restored: Tensor, own: Tensor, mask: Tensor, shown: Tensor | None = None) -> Tensor:
    """``restored`` (3, S, S) with the broad brightness and colour of ``own`` (3, S, S), both RGB in [0, 1],
    with its mean under ``mask`` (S, S), and with what is white or black in it. ``shown`` (S, S) in [0, 1] is
    0 where something lies over the face, None if nothing does."""
    weight = None if shown is None else shown[None, None]
    restored = match_colours(restored[None], own[None], weight, noise=LIGHT_NOISE)[0]
    restored = keep_clipped(restored, own)
    shares = (mask / mask.sum().clamp_min(1e-6)).flatten()
    mean = own.flatten(1) @ shares
    for _ in range(_CORRECTIONS):
        missing = mean - restored.flatten(1) @ shares
        restored = restored.add_(missing[:, None, None]).clamp_(0, 1)
    return restored


def keep_clipped(restored: Tensor, own: Tensor) -> Tensor:
    """``restored`` (3, S, S) with the colours of ``own`` (3, S, S), both RGB in [0, 1], where these are white
    or black: in a flash or in the dark the frame shows no detail there, and none is drawn."""
    room = shrink(torch.minimum(own, 1 - own)[None], own.shape[-1] // _SURROUNDINGS)
    low, high = _CLIPPED
    share = (room - low) / (high - low)
    # Nearly always so. On a GPU reading the answer would wait.
    if share.device.type == "cpu" and share.min() >= 1:
        return restored
    return own.lerp(restored, enlarge(share.clamp_(0, 1), own.shape[-2:])[0])
