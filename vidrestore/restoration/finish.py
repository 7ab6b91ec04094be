"""The last step of a face before it is pasted back: what it owes to its own frame.

Blending over time improves detail and removes noise. Light is no noise: a lamp that flickers, a flash, a fade
belong to the frame they are in. So each face is finished with the crop of its own frame, as it was read.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from .temporal.colour_transfer import LIGHT_NOISE, match_colours
from .temporal.face_crop import RestoredFace, Source
from .temporal.tint import keep_hue

#: How often the mean is corrected: a value at the end of the range cannot take its part of a correction.
_CORRECTIONS = 2


def finish(face: RestoredFace[Source], own: Tensor) -> RestoredFace[Source]:
    """``face`` as it is pasted back, with ``layers`` in float32.

    ``own`` (3, S, S), RGB in [0, 1], is the crop of its own frame as it was read.
    """
    restored, mask = face.restored.float(), face.mask.float()
    restored = give_light(restored, own, mask)
    if face.hue is not None:
        restored = keep_hue(restored, own, face.hue)
    return replace(face, layers=torch.cat((restored, mask[None])))


def give_light(restored: Tensor, own: Tensor, mask: Tensor) -> Tensor:
    """``restored`` (3, S, S) with the broad brightness and colour of ``own`` (3, S, S), both RGB in [0, 1],
    and with its mean under ``mask`` (S, S)."""
    restored = match_colours(restored[None], own[None], noise=LIGHT_NOISE)[0]
    shares = mask / mask.sum().clamp_min(1e-6)
    for _ in range(_CORRECTIONS):
        missing = ((own - restored) * shares).sum(dim=(1, 2), keepdim=True)
        restored = (restored + missing).clamp_(0, 1)
    return restored
