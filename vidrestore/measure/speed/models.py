"""Networks whose speed is measured: with their weights, or with stand-ins, since speed does not depend on
them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from ...restore.codeformer import CodeFormer, build_codeformer
from ...weights.store import load_state, locate


@dataclass(frozen=True)
class Model:
    """A model by name, and a file of stand-in weights where its own are not here."""

    name: str  #: of the registry
    weights: Path | None

    def network(self) -> CodeFormer:
        """The network itself, on the CPU. Raises WeightsError."""
        state, metadata = load_state(self.weights or self.name)
        return build_codeformer(state, metadata, str(self.weights or self.name))

    def __str__(self) -> str:
        return f"{self.name} (stand-in weights)" if self.weights else self.name


def find_model(name: str, folder: Path) -> Model:
    """``lite`` or ``codeformer``; stand-in weights for the latter are written into ``folder`` if need be."""
    if locate(name):
        return Model(name, None)
    path = folder / f"{name}-stand-in.safetensors"
    if not path.exists():
        # As PyTorch draws them at first: every layer keeps its input's scale, so nothing overflows.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            save_file(CodeFormer().state_dict(), path)
    return Model(name, path)
