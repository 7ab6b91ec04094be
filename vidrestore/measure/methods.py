"""What can be done to a degraded face, side by side: nothing, the baselines, models at several ``w``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from ..restore.load import load_restorer, resolve_model
from ..restore.restorer import Restorer
from ..runtime.device import find_device, find_precision
from ..weights.store import fingerprint
from .baselines import bicubic, nlm_unsharp

INPUT = "input"
BICUBIC = "bicubic"
NLM = "nlm + unsharp"


@dataclass(frozen=True)
class Model:
    """A restorer, and what it is called in tables."""

    name: str
    restorer: Restorer
    sha256: str  #: of the file of its weights
    precision: str

    def restore(self, faces: Tensor, w: float) -> Tensor:
        """Faces (N, 3, S, S) RGB uint8 -> restored ones, the same, on the CPU."""
        restored = self.restorer(faces.float() / 255, torch.full((len(faces),), w))
        return (restored.float() * 255).round().to(torch.uint8).cpu()

    def method(self, w: float) -> str:
        """What it is called at one fidelity weight."""
        return method_name(self.name, w)


def method_name(model: str, w: float) -> str:
    """What a model at one fidelity weight is called in tables."""
    return f"{model} w={w:g}"


def load_models(
    names: Sequence[str], files: Sequence[Path], *, device: str = "auto", precision: str = "auto"
) -> list[Model]:
    """Models by name and by file of weights, in the precision that the program would use.

    Raises WeightsError, DeviceError, and UsageError where two would be called the same.
    """
    where = find_device(device)
    how = find_precision(precision, where)
    models = []
    for name in names:
        chosen = resolve_model(name).name
        restorer = load_restorer(chosen, weights=None, device=where, precision=how)
        models.append(Model(chosen, restorer, fingerprint(chosen), how))
    for path in files:
        restorer = load_restorer(path.name, weights=path, device=where, precision=how)
        models.append(Model(path.stem, restorer, fingerprint(path), how))
    called = [model.name for model in models]
    if twice := next((name for name in called if called.count(name) > 1), None):
        raise UsageError(f"two models are called {twice}; give the file of one another name")
    return models


def apply_methods(
    degraded: Tensor, factor: float, models: Sequence[Model], weights: Sequence[float]
) -> dict[str, Tensor]:
    """Degraded faces (N, 3, S, S) RGB uint8, taken ``factor`` times smaller -> the faces of every method by
    its name, the same shape and type: the input itself, the baselines, each model at each of ``weights``."""
    rows = [np.ascontiguousarray(face.permute(1, 2, 0).numpy()) for face in degraded]
    found = {
        INPUT: degraded,
        BICUBIC: _stack([bicubic(row, factor) for row in rows]),
        NLM: _stack([nlm_unsharp(row) for row in rows]),
    }
    return found | {model.method(w): model.restore(degraded, w) for model in models for w in weights}


def _stack(rows: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)
