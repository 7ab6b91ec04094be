"""Reading checkpoints, with an error that names the file if they do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError


def load_averaged(path: Path) -> dict[str, Tensor]:
    """Load the averaged weights of a checkpoint."""
    return torch.load(path, map_location="cpu", weights_only=True)["averaged"]


def load_state(module: nn.Module, state: Mapping[str, Any], path: Path) -> None:
    """Load ``state``, which was read from ``path``, into ``module``. Raises UsageError if it does not fit."""
    try:
        module.load_state_dict(state)
    except RuntimeError:
        raise UsageError(
            f"{path} was trained with another configuration; use that one, or another run folder"
        ) from None
