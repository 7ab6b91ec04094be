"""Whether a restored face is still the one that went in, and what to do where it is not."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ..luma import luma

#: The side at which faces are compared: who somebody is shows in the places and shapes of features, which a
#: degraded face still has at that size, and detail that restoration adds does not reach.
_SIDE = 32
#: The face in it, and the side of the averages that are taken out: lighting and skin are in both anyway.
_FACE, _BROAD = (slice(7, 29), slice(6, 26)), 9
#: Drift up to which ``w`` is as chosen, and from which on the input is trusted wholly. On 22 faces: below .03
#: between what the embedded model makes, at any ``w``, and its input; below .08 between a clean face and the
#: same heavily degraded; .39 and more between two people.
_FREE, _LOST = 0.10, 0.35


def drift(restored: Tensor, images: Tensor) -> Tensor:
    """(N,): one minus the correlation of the structure of ``restored`` and ``images``, both (N, 3, S, S): 0
    for the same face, about 1 for nothing in common."""
    a, b = _structure(restored), _structure(images)
    return 1 - (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1)).clamp_min(1e-6)


def guarded(w: Tensor, drifted: Tensor) -> Tensor:
    """``w`` (N,), raised towards 1 as far as a face drifts."""
    t = ((drifted - _FREE) / (_LOST - _FREE)).clamp(0, 1)
    return w + (1 - w) * t * t * (3 - 2 * t)


def _structure(images: Tensor) -> Tensor:
    small = luma(F.interpolate(images.float(), (_SIDE, _SIDE), mode="area"), 1)[:, None]
    broad = F.avg_pool2d(F.pad(small, [_BROAD // 2] * 4, mode="replicate"), _BROAD, stride=1)
    face = (small - broad)[:, 0, *_FACE].flatten(1)
    return face - face.mean(dim=1, keepdim=True)
