"""Average the code distributions of a face over frames, so that codes change with the face, not with noise.

A code is the most probable of 1024. Where two are nearly as probable, noise decides between them anew in
every frame, which is the flicker that frame-by-frame CodeFormer is known for. So the distribution at each
position of the code grid is averaged over a few frames, weighted by how similar the encoder's features are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from ..restorer import Observation
from .face_crop import ObservedFace, Source
from .motion import similarity

REACH = 3  #: frames to each side whose codes count

#: Parameters of :func:`.motion.similarity`; the noise is the median difference of features between adjacent
#: frames.
_FREE, _FALL = 2.0, 2.0
#: Lower bound of that difference, as a share of the features' own mean square.
_FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Neighbour:
    """All that later frames need of an observed face: a small part of it."""

    observation: Observation  #: its ``rest`` is None


def average_codes(
    face: ObservedFace[Source], around: Sequence[tuple[int, ObservedFace[Source] | Neighbour]]
) -> ObservedFace[Source]:
    """``face`` with its log probabilities of codes averaged with those at the frame offsets ``around``."""
    here = face.observation
    if not around:
        return face
    features = torch.stack([other.observation.features for _, other in around])
    error = (features - here.features).float().square().mean(dim=1).flatten(1)  # (K, G * G)
    nearest = min(abs(offset) for offset, _ in around)
    adjacent = torch.tensor([abs(offset) == nearest for offset, _ in around])
    noise = error[adjacent].median() + _FLOOR * here.features.float().square().mean()
    weights = similarity(error, noise, free=_FREE, fall=_FALL)[..., None]
    mean = here.log_probs.clone()
    for weight, (_, other) in zip(weights, around, strict=True):
        mean.addcmul_(weight, other.observation.log_probs)
    mean /= 1 + weights.sum(dim=0)
    return replace(face, observation=here._replace(log_probs=mean))


def as_neighbour(face: ObservedFace[Source]) -> Neighbour:
    """The part of ``face`` that other frames need, so that the memory of the rest can be freed."""
    return Neighbour(face.observation._replace(rest=None))
