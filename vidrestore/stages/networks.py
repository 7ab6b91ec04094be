"""Networks that are loaded once, for one file after another."""

from __future__ import annotations

import torch

from ..faces.detection.detector import RetinaFaceDetector
from ..faces.detection.load import load_detector
from ..runtime.profile import Profile
from .models import Models
from .setup import RestorerSetup


class Networks:
    """Loads each network when it is first asked for, and keeps it."""

    def __init__(self) -> None:
        self._models: dict[RestorerSetup, Models] = {}
        self._detectors: dict[tuple[str, torch.device], RetinaFaceDetector] = {}

    def models(self, setup: RestorerSetup, profile: Profile) -> Models:
        """The networks that restore the faces of one file; times are added to ``profile``. Raises
        WeightsError."""
        if setup not in self._models:
            self._models[setup] = Models(setup, profile)
        return self._models[setup].again(profile)

    def detector(self, name: str, device: torch.device) -> RetinaFaceDetector:
        """The detector ``name``, which tells of uncertain faces too. Raises WeightsError."""
        if (name, device) not in self._detectors:
            self._detectors[name, device] = load_detector(name, device, hints=True)
        return self._detectors[name, device]
