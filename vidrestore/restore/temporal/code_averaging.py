"""Codes that change when the face does, not when the noise does.

A code is the most probable of 1024, and where two are nearly as probable, noise decides between them anew in
every frame: the flicker that frame-by-frame CodeFormer is known for. So each frame's code distribution is the
mean over a few frames around it, of each position of the grid as far as the encoder saw the same there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from .face_crop import Portrait
from .motion import likeness

REACH = 3  #: frames to each side whose codes count

#: How far two frames' features may differ at a position of the grid, in units of what they do at most
#: positions of frames beside each other.
_FREE, _FALL = 2.0, 2.0
#: The least such difference, as a share of the features' own mean square.
_FLOOR = 1e-4


def steady_codes(portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
    """``portrait``, observed, with its codes' logarithmic probabilities averaged with those of ``around``."""
    here = portrait.observation
    if not around:
        return portrait
    features = torch.stack([other.observation.features for _, other in around])
    error = (features - here.features).float().square().mean(dim=1).flatten(1)  # (K, G * G)
    nearest = min(abs(offset) for offset, _ in around)
    beside = torch.tensor([abs(offset) == nearest for offset, _ in around])
    noise = error[beside].median() + _FLOOR * here.features.float().square().mean()
    weights = likeness(error, noise, free=_FREE, fall=_FALL)[..., None]
    mean = here.log_probs.clone()
    for weight, (_, other) in zip(weights, around, strict=True):
        mean.addcmul_(weight, other.observation.log_probs)
    mean /= 1 + weights.sum(dim=0)
    return replace(portrait, observation=here._replace(log_probs=mean))


def only_seen(portrait: Portrait) -> Portrait:
    """``portrait`` as others need it: without all that it is restored from, by far the most of it."""
    return replace(portrait, image=None, observation=portrait.observation._replace(rest=None))
