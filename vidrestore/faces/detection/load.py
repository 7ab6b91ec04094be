"""Which face detector a run uses."""

from __future__ import annotations

import torch

from ...errors import WeightsError
from ...weights.store import fetch, load_state, locate
from .detector import RetinaFaceDetector

_NETWORKS = {"retinaface_resnet50": "resnet50", "retinaface_mobile0.25": "mobile0.25"}


def choose_detector(name: str, *, offline: bool = False) -> str:
    """The detector for ``auto`` (ResNet-50 where its weights are here, else the embedded one) or a
    name, whose weights are fetched. Raises WeightsError."""
    if name == "auto":
        return "retinaface_resnet50" if locate("retinaface_resnet50") else "retinaface_mobile0.25"
    fetch(name, offline=offline)
    return name


def load_detector(name: str, device: torch.device) -> RetinaFaceDetector:
    """The detector called ``name``, as :func:`choose_detector` returned it. Raises WeightsError."""
    state, _ = load_state(name)
    try:
        return RetinaFaceDetector(_NETWORKS[name], state, device=device)
    except RuntimeError:
        raise WeightsError(
            f"the file {locate(name)} does not hold {name}'s weights; delete it, and get it anew with: "
            f"vidrestore weights get {name}"
        ) from None
