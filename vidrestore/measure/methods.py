"""The methods that are compared: the input itself, the baselines, and models at several ``w``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from ..restoration.load import load_restorer, resolve_model
from ..restoration.restorer import FaceRestorer
from ..runtime.device import find_device, find_precision
from ..weights.store import fingerprint
from .baselines import bicubic, nlm_unsharp
from .images import to_rows

INPUT = "input"
BICUBIC = "bicubic"
NLM = "nlm + unsharp"


@dataclass(frozen=True)
class EvaluatedModel:
    """A restorer and its name in tables."""

    name: str
    restorer: FaceRestorer
    sha256: str  #: of the weights file
    precision: str

    def restore(self, faces: Tensor, w: float) -> Tensor:
        """Restore faces (N, 3, S, S) RGB uint8. The result has the same shape and type, on the CPU."""
        restored = self.restorer(faces.float() / 255, torch.full((len(faces),), w))
        return (restored.float() * 255).round().to(torch.uint8).cpu()

    def method(self, w: float) -> str:
        """Return the name of the model at one fidelity weight."""
        return method_name(self.name, w)


def method_name(model: str, w: float) -> str:
    """Return the name in tables of a model at one fidelity weight."""
    return f"{model} w={w:g}"


def load_models(
    names: Sequence[str], files: Sequence[Path], *, device: str = "auto", precision: str = "auto"
) -> list[EvaluatedModel]:
    """Load models by name and by weights file, in the precision that the program would use.

    Raises WeightsError, DeviceError, and UsageError if two models have the same name.
    """
    torch_device = find_device(device)
    precision = find_precision(precision, torch_device)
    models = []
    for name in names:
        chosen = resolve_model(name).name
        restorer = load_restorer(chosen, device=torch_device, precision=precision)
        models.append(EvaluatedModel(chosen, restorer, fingerprint(chosen), precision))
    for path in files:
        restorer = load_restorer(path, device=torch_device, precision=precision)
        models.append(EvaluatedModel(path.stem, restorer, fingerprint(path), precision))
    loaded = [model.name for model in models]
    if duplicate := next((name for name in loaded if loaded.count(name) > 1), None):
        raise UsageError(f"two models are named {duplicate}; rename the weights file of one")
    return models


def apply_methods(
    degraded: Tensor, factor: float, models: Sequence[EvaluatedModel], weights: Sequence[float]
) -> dict[str, Tensor]:
    """Apply every method to degraded faces.

    Args:
        degraded: (N, 3, S, S) RGB uint8.
        factor: The factor by which degradation downscaled the faces.
        models: The models to apply.
        weights: The fidelity weights at which to apply each model.

    Returns:
        The faces by name of the method, of the same shape and type: the input itself, the baselines, and each
        model at each fidelity weight.
    """
    rows = [to_rows(face) for face in degraded]
    results = {
        INPUT: degraded,
        BICUBIC: _stack([bicubic(row, factor) for row in rows]),
        NLM: _stack([nlm_unsharp(row) for row in rows]),
    }
    return results | {model.method(w): model.restore(degraded, w) for model in models for w in weights}


def _stack(rows: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)
