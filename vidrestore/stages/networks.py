"""Networks that are loaded once, for one file after another."""

from __future__ import annotations

import torch

from ..faces.detection.detector import RetinaFaceDetector
from ..faces.detection.load import load_detector
from ..runtime.profile import Profile
from ..upscale.choose import UpscalerSetup
from ..upscale.load import load_upscaler
from ..upscale.upscaler import Upscaler
from .models import Models
from .setup import RestorerSetup


class Networks:
    """Loads each network when it is first asked for, and keeps it."""

    def __init__(self) -> None:
        self._models: dict[RestorerSetup, Models] = {}
        self._upscalers: dict[tuple[UpscalerSetup, torch.device], Upscaler] = {}
        self._detectors: dict[tuple[str, torch.device], RetinaFaceDetector] = {}

    def models(self, setup: RestorerSetup, profile: Profile) -> Models:
        """The networks that restore the faces of one file; times are added to ``profile``. Raises
        WeightsError."""
        if setup not in self._models:
            self._models[setup] = Models(setup, profile)
        return self._models[setup].again(profile)

    def upscaler(self, setup: UpscalerSetup | None, device: torch.device) -> Upscaler | None:
        """What enlarges the frames of one file; None if they keep their size. Raises WeightsError."""
        if setup is None:
            return None
        if (setup, device) not in self._upscalers:
            self._upscalers[setup, device] = load_upscaler(setup, device)
        return self._upscalers[setup, device]

    def detector(self, name: str, device: torch.device) -> RetinaFaceDetector:
        """The detector ``name``, which tells of uncertain faces too. Raises WeightsError."""
        if (name, device) not in self._detectors:
            self._detectors[name, device] = load_detector(name, device, hints=True)
        return self._detectors[name, device]
