"""Holding a face still over a few frames: its input before it is restored, and the result behind.

A face is blended with the same face in the frames around it, brought to its place along the flow, each pixel
as far as it is like its own there but for noise. So nothing is taken from where a mouth opens or a head turns
away, and where the picture stands still noise and grain, and what the network makes of them, average out.
Blending the input is worth more than blending the result: a network restores what it sees, and sees better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .motion import Motion, likeness
from .portrait import Portrait

#: How many frames away the others are that the input is blended with.
_INPUT = (1, 2, 3)
#: The same for the result, with how much each counts against itself. The near ones steady a face that moves;
#: the far ones are only like it where it stands still, and there a codec's noise is alike for many frames.
_OUTPUT = {1: 0.35, 3: 0.35, 6: 1.5, 12: 2.0}

INPUT_REACH, OUTPUT_REACH = max(_INPUT), max(_OUTPUT)
REACH = max(INPUT_REACH, OUTPUT_REACH)  #: frames to each side that a face is compared with

#: How far two pictures may differ, in units of the noise: measured so that moving mouths and eyes are left
#: alone, and still faces blend.
_FREE, _FALL = 1.5, 1.0
#: The least noise, mean square of 255: what rounding and flow leave even of clean pictures.
_FLOOR = 0.3
#: Noise at which the input is blended half as much as it could be. A clean input has nothing to gain by it,
#: and loses some of its detail.
_NOISY = 8.0


def compare(portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
    """``portrait`` with its motions to those around it that it may be blended with, and its noise."""
    wanted = {*_INPUT, *_OUTPUT}
    motions = {
        offset: Motion.between(portrait.view, other.view) for offset, other in around if abs(offset) in wanted
    }
    nearest = min(map(abs, motions), default=0)
    levels = [motion.noise for offset, motion in motions.items() if abs(offset) == nearest]
    return replace(portrait, motions=motions, noise=sum(levels) / max(1, len(levels)))


def steady_input(portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
    """``portrait``, compared, with its image blended with theirs as far as it is noisy."""
    share = portrait.noise**4 / (portrait.noise**4 + _NOISY**4)
    others = [(offset, other.image, share) for offset, other in around if abs(offset) in _INPUT]
    return replace(portrait, view=None, image=_blend(portrait, portrait.image, others))


def steady_output(portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
    """``portrait``, restored, with the result and its mask blended with theirs."""
    others = [(o, other.layers, _OUTPUT[abs(o)]) for o, other in around if abs(o) in _OUTPUT]
    return replace(portrait, layers=_blend(portrait, portrait.layers.float(), others), motions={})


def _blend(portrait: Portrait, image: Tensor, others: Sequence[tuple[int, Tensor, float]]) -> Tensor:
    """``image`` (C, S, S) of the portrait, and of each of the others its share as far as it is like it."""
    total, weight_sum = image.clone(), torch.ones_like(image[:1])
    for offset, other, share in others:
        motion = portrait.motions[offset]
        like = likeness(
            torch.from_numpy(motion.error).float(), portrait.noise + _FLOOR, free=_FREE, fall=_FALL
        ).to(image)
        weight = share * F.interpolate(like[None, None], image.shape[-2:], mode="bilinear")[0]
        total.addcmul_(weight, motion.bring(other.float()))
        weight_sum += weight
    return total.div_(weight_sum)
