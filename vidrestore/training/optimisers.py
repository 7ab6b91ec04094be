"""Which optimiser trains which parameters: AdamW all of them, or Muon the inner weight matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from .muon import Muon

#: Muon is for matrices with at least this many rows and columns; narrower ones cost more time than it saves.
_MIN_WIDTH = 64
#: Weights whose rows or columns stand for pixels, codes or positions.
_OUTER = ("encoder.blocks.0.", "position_emb", "idx_pred_layer.")


def inner_matrices(model: nn.Module) -> set[nn.Parameter]:
    """Return the weights of a CodeFormer that Muon is for: those of wide linear layers and convolutions,
    except the first and last layers and embeddings."""
    return {
        parameter
        for name, parameter in model.named_parameters()
        if parameter.ndim in (2, 4) and min(parameter.shape[:2]) >= _MIN_WIDTH and not name.startswith(_OUTER)
    }


def create_optimisers(
    model: nn.Module, groups: Sequence[dict[str, Any]], *, name: str, rate: float
) -> list[torch.optim.Optimizer]:
    """Create the optimisers for ``groups`` of the model's parameters.

    Args:
        model: A CodeFormer.
        groups: Parameter groups of torch.optim; other entries than "params" are kept.
        name: "adamw"; or "muon", with which Muon trains :func:`inner_matrices` and AdamW the rest.
        rate: Learning rate.
    """
    matrices = inner_matrices(model) if name == "muon" else set()

    def chosen(inner: bool) -> list[dict[str, Any]]:
        kept = ({**g, "params": [p for p in g["params"] if (p in matrices) == inner]} for g in groups)
        return [group for group in kept if group["params"]]

    created: list[torch.optim.Optimizer] = []
    if plain := chosen(False):
        created.append(torch.optim.AdamW(plain, lr=rate, betas=(0.9, 0.99), weight_decay=1e-4, fused=True))
    if inner := chosen(True):
        created.append(Muon(inner, lr=rate))
    return created
