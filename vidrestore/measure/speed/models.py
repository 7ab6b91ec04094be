"""Models whose speed is measured: with their weights or, since speed does not depend on them, random ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from ...errors import UsageError
from ...restoration.codeformer import CodeFormer, build_codeformer
from ...weights.store import load_state, locate

#: Names of models that are measured: random weights are those of the published CodeFormer's sizes.
MODELS = ("lite", "face", "codeformer")


@dataclass(frozen=True)
class BenchModel:
    """A model by name, and a file of random weights if its own are not on this machine."""

    name: str  #: a name of the weights registry
    weights: Path | None  #: the file of random weights

    def network(self) -> CodeFormer:
        """Build the network on the CPU. Raises WeightsError."""
        state, metadata = load_state(self.weights or self.name)
        return build_codeformer(state, metadata, str(self.weights or self.name))

    def __str__(self) -> str:
        return f"{self.name} (random weights)" if self.weights else self.name


def find_model(name: str, folder: Path) -> BenchModel:
    """Return the model ``name``, one of ``MODELS``. If the weights of ``codeformer`` are not on this machine,
    random ones are written to ``folder``. Raises UsageError for another name."""
    if name not in MODELS:
        raise UsageError(f"the speed of {name} is not measured here; choose one of {', '.join(MODELS)}")
    if locate(name):
        return BenchModel(name, None)
    path = folder / f"{name}-random.safetensors"
    if not path.exists():
        # PyTorch's initial weights: every layer preserves the scale of its input, so nothing overflows.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            save_file(CodeFormer().state_dict(), path)
    return BenchModel(name, path)
