"""Holding a face still over a few frames: its input before it is restored, and the result behind.

A face is blended with the same face in the frames around it, brought to its place along the flow, each pixel
as far as it is like its own there but for noise. So nothing is taken from where a mouth opens or a head turns
away, and where the picture stands still noise and grain, and what the network makes of them, average out.
Blending the input is worth more than blending the result: a network restores what it sees, and sees better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .blend import Contribution, blend
from .face_crop import Portrait
from .motion import MAP, Motion, View, likeness, square

#: How many frames away the others are that the input is blended with, where it is noisy.
_INPUT = (1, 2, 3)
#: The same for the result, with how much each counts against itself. The near ones follow a face that moves;
#: the far ones are only like it where it stands still, and there a codec's noise is alike for many frames.
_NEAR, _FAR = {1: 0.5}, {6: 1.5, 12: 2.0, 18: 2.0, 24: 2.0}

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
    near = {o: Motion.between(portrait.view, view) for o, view in views.items() if abs(o) in _NEAR}
    far = {o: Motion.none(portrait.view, view) for o, view in views.items() if abs(o) in _FAR}
    noise = float(np.mean([motion.noise for motion in near.values()])) if near else 0.0
    motions = near | far
    if _input_share(noise) > _NO_SHARE:
        motions |= {
            o: Motion.between(portrait.view, view)
            for o, view in views.items()
            if abs(o) in _INPUT and o not in motions
        }
    return replace(portrait, motions=motions, noise=noise, stillness=_stillness(portrait.view, near, views))


def steady_input(portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
    """``portrait``, compared, with its image blended with theirs as far as it is noisy."""
    share = _input_share(portrait.noise)
    others = {o: (other.image, share) for o, other in around if abs(o) in _INPUT and share > _NO_SHARE}
    return replace(portrait, view=None, image=_blend(portrait, portrait.image, others))


def steady_output(portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
    """``portrait``, restored, with the result and its mask blended with theirs."""
    noisy = portrait.noise**2 / (portrait.noise**2 + _NOISY_RESULT**2)
    near = _CLEAN_SHARE + (1 - _CLEAN_SHARE) * noisy
    shares = {offset: share * near for offset, share in _NEAR.items()}
    shares |= {offset: share * portrait.stillness for offset, share in _FAR.items()}
    others = {o: (other.layers, shares[abs(o)]) for o, other in around if abs(o) in shares}
    return replace(portrait, layers=_blend(portrait, portrait.layers, others), motions={})


def _input_share(noise: float) -> float:
    return noise**4 / (noise**4 + _NOISY**4)


def _stillness(here: View, motions: Mapping[int, Motion], views: Mapping[int, View]) -> np.ndarray:
    """(MAP, MAP): 1 where the face, or the scene, is where it was a frame ago and will be in the next,
    falling to 0 where both move."""
    still = np.ones((MAP, MAP), np.float32)
    for offset, motion in motions.items():
        flow = motion.flow.astype(np.float32)
        moved = np.minimum(square(flow), square(flow - here.drift(views[offset], MAP)))
        still = np.minimum(still, np.exp(-moved / _STILL**2))
    return still


def _blend(
    portrait: Portrait, image: Tensor, others: Mapping[int, tuple[Tensor, float | np.ndarray]]
) -> Tensor:
    """``image`` (C, S, S) of the portrait, and of each of the others its share as far as it is like it."""
    contributions = []
    for offset, (other, share) in others.items():
        motion = portrait.motions[offset]
        free, floor = (_FREE_FAR, _FLOOR_FAR) if abs(offset) in _FAR else (_FREE, _FLOOR)
        error = torch.from_numpy(motion.error).float()
        like = likeness(error, portrait.noise + floor, free=free, fall=_FALL).numpy()
        contributions.append(Contribution(other, motion.flow, share * like))
    return blend(image, contributions)
