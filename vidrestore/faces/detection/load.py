"""Choose the face detector of a run by name, and load it."""

from __future__ import annotations

import torch

from ...errors import WeightsError
from ...weights.store import fetch, load_state, locate
from .detector import RetinaFaceDetector
from .retinaface import Backbone

_BACKBONES: dict[str, Backbone] = {
    "retinaface_resnet50": "resnet50",
    "retinaface_mobile0.25": "mobile0.25",
}


def choose_detector(name: str, *, offline: bool = False) -> str:
    """Return the name of the detector to use.

    ``auto`` is ResNet-50 if its weights are already on this machine, else the embedded MobileNet. The
    weights of any other name are downloaded if needed, unless ``offline``. Raises WeightsError if that
    fails.
    """
    if name == "auto":
        return "retinaface_resnet50" if locate("retinaface_resnet50") else "retinaface_mobile0.25"
    fetch(name, offline=offline)
    return name


def load_detector(name: str, device: torch.device | str) -> RetinaFaceDetector:
    """Load a detector by the name that :func:`choose_detector` returned. Raises WeightsError."""
    state, _ = load_state(name)
    try:
        return RetinaFaceDetector(_BACKBONES[name], state, device=device)
    except RuntimeError:
        raise WeightsError(
            f"{locate(name)} does not hold the weights of {name}; delete it and download it again with: "
            f"vidrestore weights get {name}"
        ) from None
