"""Detect a restored face that no longer shows the same person as its input, so that it is taken back."""

from __future__ import annotations

from torch import Tensor

from ...runtime.ramps import smoothstep
from ..luma import luma
from ..planes import local_mean, shrink

#: Side in pixels at which faces are compared. Identity shows in the places and shapes of features, which a
#: degraded face still has at that size; detail that restoration adds is finer.
_SIDE = 32
#: The rows and columns that show the face, and the side of the local mean that is subtracted: it holds
#: lighting and skin tone.
_FACE, _BROAD = (slice(7, 29), slice(6, 26)), 9
#: Drift up to which a face is the same, and from which on it is another one. On 22 faces it is below .03
#: between the embedded model's output, at any ``w``, and its input; below .08 between a clean face and the
#: same face heavily degraded; at least .39 between two people.
_FREE, _LOST = 0.10, 0.35


def identity_drift(restored: Tensor, images: Tensor) -> Tensor:
    """One minus the correlation of the structure of ``restored`` and ``images``, both (N, 3, S, S) RGB in
    [0, 1]: (N,) float32, 0 for the same face, about 1 for unrelated ones."""
    a, b = _structure(restored), _structure(images)
    return 1 - (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1)).clamp_min(1e-6)


def drift_share(drift: Tensor) -> Tensor:
    """How far ``drift`` (N,) is beyond what restoration explains, in [0, 1]: 0 for the same face, 1 for
    another one."""
    return smoothstep((drift - _FREE) / (_LOST - _FREE))


def _structure(images: Tensor) -> Tensor:
    small = luma(shrink(images, _SIDE), 1)[:, None]
    broad = local_mean(small, _BROAD)
    face = (small - broad)[:, 0, *_FACE].flatten(1)
    return face - face.mean(dim=1, keepdim=True)
