"""Holding a face still over a few frames: its input before it is restored, and the result behind.

A face is blended with the same face in the frames around it, brought to its place along the flow, each pixel
as far as it is like its own there but for noise. So nothing is taken from where a mouth opens or a head turns
away, and where the picture stands still noise and grain, and what the network makes of them, average out.
Blending the input is worth more than blending the result: a network restores what it sees, and sees better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from .motion import Motion, likeness
from .portrait import Portrait

#: How many frames away the others are that the input is blended with, where it is noisy.
_INPUT = (1, 2, 3)
#: The same for the result, with how much each counts against itself. The near ones follow a face that moves;
#: the far ones are only like it where it stands still, and there a codec's noise is alike for many frames.
_NEAR, _FAR = {1: 0.5}, {6: 1.5, 12: 2.0, 18: 2.0}

INPUT_REACH, OUTPUT_REACH = max(_INPUT), max(_FAR)
REACH = max(INPUT_REACH, OUTPUT_REACH)  #: frames to each side that a face is compared with

#: How far two pictures may differ, in units of the noise: measured so that moving mouths and eyes are left
#: alone, and still faces blend. A far one, which no flow brings, may differ less.
_FREE, _FREE_FAR, _FALL = 1.5, 1.0, 1.0
#: The least noise, mean square of 255: what rounding and flow leave even of clean pictures; and what a codec
#: changes in a still one over some frames.
_FLOOR, _FLOOR_FAR = 0.3, 0.6
#: Pixels of the map that a place that stands still moves in a frame at most, about.
_STILL = 0.05
#: Noise at which the input is blended half as much as it could be. A clean input has nothing to gain by it,
#: and loses some of its detail.
_NOISY = 8.0
#: The share of the input's blend below which it is none.
_NO_SHARE = 0.01
#: The same noise for the result, and how much of the near ones' share is left without any.
_NOISY_RESULT, _CLEAN_SHARE = 4.0, 0.3


def compare(portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
    """``portrait`` with its motions to those around it that it may be blended with, and its noise."""
    views = {offset: other.view for offset, other in around}
    near = [offset for offset in views if abs(offset) in _NEAR]
    motions = {offset: Motion.between(portrait.view, views[offset]) for offset in near}
    motions |= {o: Motion.none(portrait.view, view) for o, view in views.items() if abs(o) in _FAR}
    noise = float(np.mean([motions[offset].noise for offset in near])) if near else 0.0
    portrait = replace(portrait, motions=motions, noise=noise)
    if _input_share(portrait) > _NO_SHARE:
        wanted = [o for o in views if abs(o) in _INPUT and o not in motions]
        motions |= {offset: Motion.between(portrait.view, views[offset]) for offset in wanted}
    return portrait


def steady_input(portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
    """``portrait``, compared, with its image blended with theirs as far as it is noisy."""
    share = _input_share(portrait)
    others = {o: (other.image, share) for o, other in around if abs(o) in _INPUT and share > _NO_SHARE}
    return replace(portrait, view=None, image=_blend(portrait, portrait.image, others))


def steady_output(portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
    """``portrait``, restored, with the result and its mask blended with theirs."""
    noisy = portrait.noise**2 / (portrait.noise**2 + _NOISY_RESULT**2)
    near = _CLEAN_SHARE + (1 - _CLEAN_SHARE) * noisy
    still = _stillness(portrait)
    shares = {offset: share * near for offset, share in _NEAR.items()}
    shares |= {offset: share * still for offset, share in _FAR.items()}
    others = {o: (other.layers, shares[abs(o)]) for o, other in around if abs(o) in shares}
    return replace(portrait, layers=_blend(portrait, portrait.layers.float(), others), motions={})


def _input_share(portrait: Portrait) -> float:
    return portrait.noise**4 / (portrait.noise**4 + _NOISY**4)


def _stillness(portrait: Portrait) -> np.ndarray:
    """1 where the face is where it was a frame ago and will be in the next, falling to 0 where it moves."""
    moved = [motion.squared for offset, motion in portrait.motions.items() if abs(offset) in _NEAR]
    return np.exp(-np.max(moved, axis=0) / _STILL**2) if moved else np.float32(1)


def _blend(
    portrait: Portrait, image: Tensor, others: Mapping[int, tuple[Tensor, float | np.ndarray]]
) -> Tensor:
    """``image`` (C, S, S) of the portrait, and of each of the others its share as far as it is like it."""
    if not others:
        return image
    size = image.shape[-1]
    total, weight_sum = image.clone(), torch.ones_like(image[:1])
    for offset, (other, share) in others.items():
        motion = portrait.motions[offset]
        free, floor = (_FREE, _FLOOR) if motion.flow is not None else (_FREE_FAR, _FLOOR_FAR)
        like = likeness(torch.from_numpy(motion.error).float(), portrait.noise + floor, free=free, fall=_FALL)
        weight = torch.from_numpy(cv2.resize(share * like.numpy(), (size, size)))[None].to(image.device)
        total.addcmul_(weight, motion.bring(other.float()))
        weight_sum += weight
    return total.div_(weight_sum)
