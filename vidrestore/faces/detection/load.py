"""Choose the face detector of a run and load it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...errors import WeightsError
from ...weights.store import fetch, is_offline, load_state, locate
from .detector import RetinaFaceDetector
from .retinaface import Backbone

_BACKBONES: dict[str, Backbone] = {
    "retinaface_resnet50": "resnet50",
    "retinaface_mobile0.25": "mobile0.25",
}


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """The detector that a run uses, by its name in the weights registry."""

    name: str
    missing: bool = False  #: its weights are not in the cache yet: loading it downloads them first


def resolve_detector(detector: str, *, offline: bool = False, download: bool = True) -> DetectorChoice:
    """Resolve the option ``--detector``: ``auto`` is ResNet-50 if its weights are in the cache, else the
    embedded detector.

    Weights that are not in the cache are downloaded, unless ``download`` is False: then the choice says that
    they are ``missing``. Raises WeightsError if they cannot be had; ``offline`` forbids the network.
    """
    if detector == "auto":
        return DetectorChoice(
            "retinaface_resnet50" if locate("retinaface_resnet50") else "retinaface_mobile0.25"
        )
    if download or offline or is_offline():
        fetch(detector, offline=offline)
    return DetectorChoice(detector, missing=locate(detector) is None)


def load_detector(name: str, device: torch.device, *, hints: bool = False) -> RetinaFaceDetector:
    """Load the detector ``name``, as :func:`resolve_detector` returned it. Raises WeightsError.

    ``hints`` is that of :class:`.detector.RetinaFaceDetector`.
    """
    state, _ = load_state(name)
    try:
        return RetinaFaceDetector(_BACKBONES[name], state, device=device, hints=hints)
    except RuntimeError:
        raise WeightsError(
            f"the file {locate(name)} does not hold the weights of {name}; delete it and download it again: "
            f"vidrestore weights get {name}"
        ) from None
