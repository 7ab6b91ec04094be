"""Average the code distributions of a face over frames, so that codes change with the face, not with noise.

A code is the most probable of 1024. Where two are nearly as probable, noise decides between them anew in
every frame, which is the flicker that frame-by-frame CodeFormer is known for. So the distribution at each
position of the code grid is averaged over a few frames, weighted by how similar the encoder's features are.

Features follow the light, also where the face does not change. Between frames in different light the crops
are compared instead, brought to equal light (see :mod:`.light`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...runtime.cuda_streams import upload
from ..restorer import Observation
from .face_crop import ObservedFace, Source
from .motion import REPEATED, Comparison, similarity, square

REACH = 3  #: frames to each side whose codes count

#: Parameters of :func:`.motion.similarity` for features; the noise is their median difference from the
#: nearest pictures in the same light, see :func:`.motion.other_pictures`.
_FREE, _FALL = 2.0, 2.0
#: Lower bound of that difference, as a share of the features' own mean square.
_FLOOR = 1e-4
#: The same for crops in different light, as in :mod:`.stabilise`; the lower bound is a mean square on a scale
#: of 0 to 255.
_CROP_FREE, _CROP_FALL, _CROP_FLOOR = 1.5, 1.0, 0.3
#: Motion in pixels of the map of motion (64 to a face) up to about which a place keeps its codes.
_MOVED = 1.0


@dataclass(frozen=True, slots=True)
class Neighbour:
    """All that later frames need of an observed face: a small part of it."""

    observation: Observation  #: its ``rest`` is None
    restorer: str | None


def average_codes(
    face: ObservedFace[Source], around: Sequence[tuple[int, ObservedFace[Source] | Neighbour]]
) -> ObservedFace[Source]:
    """``face`` with its log probabilities of codes averaged with those at the frame offsets ``around`` that
    the same restorer found; one without codes is left as it is."""
    here = face.observation
    around = [(offset, other) for offset, other in around if other.restorer == face.restorer]
    if not around or not here.has_codes:
        return face
    motions = face.comparison.motions
    relit = {offset for offset, _ in around if offset in motions and motions[offset].is_relit}
    others = {offset: other.observation for offset, other in around}
    alike = {offset: other.features for offset, other in others.items() if offset not in relit}
    weights = _crop_weights(face.comparison, relit, here.features) | _feature_weights(here.features, alike)
    mean, total = here.log_probs.clone(), torch.ones_like(here.log_probs[:, :1])
    for offset, other in others.items():
        mean.addcmul_(weights[offset], other.log_probs)
        total += weights[offset]
    return replace(face, observation=here._replace(log_probs=mean.div_(total)))


def _feature_weights(here: Tensor, others: Mapping[int, Tensor]) -> dict[int, Tensor]:
    """The weight (G * G, 1) of each position in the frames at the offsets ``others``, in the same light as
    ``here``, by their features (C, G, G)."""
    if not others:
        return {}
    error = (torch.stack([*others.values()]) - here).float().square().mean(dim=1).flatten(1)  # (K, G * G)
    adjacent = _other_pictures([*others], error.median(dim=1).values)
    noise = (
        error.masked_fill(~adjacent[:, None], torch.nan).nanmedian() + _FLOOR * here.float().square().mean()
    )
    return dict(zip(others, similarity(error, noise, free=_FREE, fall=_FALL)[..., None], strict=True))


def _other_pictures(offsets: Sequence[int], differences: Tensor) -> Tensor:
    """(K,) bool on their device: which ``offsets`` are those of :func:`.motion.other_pictures`, by the
    ``differences`` (K,). A GPU is not waited for."""
    found: list[Tensor] = [*torch.zeros_like(differences, dtype=torch.bool)]
    for side in (-1, 1):
        outwards = [k for k, offset in enumerate(offsets) if offset * side > 0]
        outwards.sort(key=lambda k: abs(offsets[k]))
        if outwards:
            values = torch.stack([differences[k] for k in outwards])
            other = values >= REPEATED * values.max()
            for k, is_nearest in zip(outwards, other & (other.cumsum(dim=0) == 1), strict=True):
                found[k] = is_nearest
    return torch.stack(found)


def _crop_weights(comparison: Comparison, relit: Iterable[int], features: Tensor) -> dict[int, Tensor]:
    """The weight (G * G, 1) of each position of ``features`` (C, G, G) in the frames at the offsets
    ``relit``, by the crops in equal light."""
    weights, (rows, columns) = {}, features.shape[1:]
    for offset in relit:
        motion = comparison.motions[offset]
        error = F.adaptive_avg_pool2d(upload(motion.error, features.device).float()[None], (rows, columns))
        weight = similarity(error, comparison.noise + _CROP_FLOOR, free=_CROP_FREE, fall=_CROP_FALL)
        if motion.flow is not None:
            still = np.exp(-square(motion.flow.astype(np.float32)) / _MOVED**2)
            weight *= F.adaptive_avg_pool2d(upload(still, features.device)[None], (rows, columns))
        weights[offset] = weight.reshape(-1, 1)
    return weights


def as_neighbour(face: ObservedFace[Source]) -> Neighbour:
    """The part of ``face`` that other frames need, so that the memory of the rest can be freed."""
    return Neighbour(face.observation._replace(rest=None), face.restorer)
