"""Restore faces within limits, so that none looks worse than its input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..runtime.cuda_streams import upload
from .fidelity import part_drift
from .fidelity.face_quality import FaceQuality
from .fidelity.identity_guard import drift_share, identity_drift
from .fidelity.limits import hold_in_range, soften
from .fidelity.parts import Parts, find_parts
from .fidelity.rules import beyond_codes, doubt, wear
from .luma import luma
from .planes import enlarge, shrink
from .restorer import FaceRestorer, Observation
from .temporal.colour_transfer import match_colours, replace_non_finite

#: The smallest increase of ``w`` for which a face is restored again.
_W_STEP = 0.02
#: How far the input takes the place of the parts of a face that is too worn for the model.
_WORN_PARTS = 0.6
#: The smallest departure from the input that is taken back.
_LEAST = 1e-3


class Guarded(NamedTuple):
    """N finished faces, and what the guards made of them."""

    images: Tensor  #: (N, 3, S, S) RGB in [0, 1]
    #: (N, 6) float32 on their device, each row the values of :class:`Guards`; None: no guard looked at them.
    guards: Tensor | None


class Guards(NamedTuple):
    """What the guards found of one face, and how far they acted."""

    w: float  #: fidelity weight in [0, 1] that it was restored with in the end
    identity: float  #: see :func:`~.fidelity.identity_guard.identity_drift`; before anything is taken back
    #: Shares in [0, 1] of the face and of its left eye, right eye and mouth that the input took the place of,
    #: since they had departed from it.
    face: float
    left_eye: float
    right_eye: float
    mouth: float


@torch.inference_mode()  # as in the restorer, whose results are written to
def render_within_limits(
    restorer: FaceRestorer,
    observations: Sequence[Observation],
    images: Tensor,
    w: Sequence[float],
    landmarks: np.ndarray,
    qualities: Sequence[FaceQuality],
    *,
    keep_colours: bool = True,
) -> Guarded:
    """Restore N encoded faces within limits.

    A face that shows more than the model's codes hold is restored with a larger ``w``. One that departs from
    its input is restored again with a larger ``w``; where it still departs, the input takes its place,
    locally or wholly. One that is too worn for the model loses the edges that the model drew. Eyes, mouth and
    nostrils stay in the range of their input, and where the model may invent edges they become little
    sharper.

    Args:
        restorer: The model.
        observations: What it observed.
        images: (N, 3, S, S) RGB in [0, 1], float32: what it observed them in, on its device.
        w: Fidelity weights in [0, 1].
        landmarks: (N, 5, 2) in pixels of the faces.
        qualities: The quality of the faces.
        keep_colours: Give each result the low-frequency colours of its input.

    Returns:
        The faces, and what the guards made of them.
    """
    size = images.shape[-1]
    parts = find_parts(landmarks, size, part_drift.SIDE, images.device)
    weights = torch.tensor(w, dtype=torch.float32)
    beyond = torch.tensor([beyond_codes(quality, restorer.spec.codes_hold) for quality in qualities])
    weights += (1 - weights) * beyond
    restored = replace_non_finite(restorer.render(observations, weights), images)
    departed = _Departure(images, parts, qualities)
    drift, whole, by_part = departed.of(restored)
    raised = weights + (1 - weights) * torch.maximum(whole, by_part.amax(dim=1)).cpu()
    if again := torch.nonzero(raised - weights > _W_STEP).flatten().tolist():
        weights[again] = raised[again]
        restored[again] = replace_non_finite(
            restorer.render([observations[i] for i in again], raised[again]), images[again]
        )
        drift, whole, by_part = departed.of(restored)
    guards = torch.cat(
        (upload(weights.numpy()[:, None], images.device), drift[:, None], whole[:, None], by_part), dim=1
    )
    worn = [wear(quality, restorer.spec.readable) for quality in qualities]
    # By the shape of the nostrils, which have little contrast, one nose is hardly told from another.
    by_part = F.pad(by_part, (0, 1))
    by_part = torch.maximum(by_part, _WORN_PARTS * torch.tensor(worn).to(by_part)[:, None])
    _take_back(restored, images, parts, whole, by_part)
    if keep_colours:
        restored = match_colours(restored, images)
    restored = soften(restored, images, worn)
    doubts = [doubt(quality, restorer.spec.readable) for quality in qualities]
    return Guarded(hold_in_range(restored, images, parts, weights, qualities, doubts), guards)


class _Departure:
    """Measures how far restored faces depart from their inputs."""

    def __init__(self, images: Tensor, parts: Parts, qualities: Sequence[FaceQuality]) -> None:
        self._parts = parts
        self._qualities = qualities
        self._images = shrink(images, part_drift.SIDE)

    def of(self, restored: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The identity drift (N,) of N ``restored`` faces; their departure, (N,), and that of their parts,
        (N, 3), in [0, 1]."""
        small = shrink(restored, part_drift.SIDE)
        drift = identity_drift(small, self._images)
        by_part = part_drift.part_drift(
            luma(small, 1), luma(self._images, 1), self._parts.features, self._qualities
        )
        return drift, drift_share(drift), by_part


def _take_back(restored: Tensor, images: Tensor, parts: Parts, whole: Tensor, by_part: Tensor) -> None:
    """Put ``images`` in the place of ``restored`` (N, 3, S, S), changed in place, as far as it departs."""
    shares = (parts.maps * by_part[..., None, None]).amax(dim=1, keepdim=True)
    shares = torch.maximum(shares, whole[:, None, None, None])
    for face, image, share in zip(restored, images, shares.split(1), strict=True):
        # On a GPU reading the largest share would wait.
        if share.device.type != "cpu" or share.max() > _LEAST:
            face.lerp_(image, enlarge(share, face.shape[-2:])[0])
