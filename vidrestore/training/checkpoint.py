"""Reading checkpoints, with an error that names the file if they do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..restoration.codeformer import CodeFormerConfig

_OTHER = "{} was trained with another configuration; use that one, or another run folder"


def load_averaged(path: Path) -> dict[str, Tensor]:
    """Load the averaged weights of a checkpoint."""
    return load_checkpoint(path)["averaged"]


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Load a checkpoint: what :meth:`.trainer.Trainer.save` writes. Raises UsageError if it is none."""
    try:
        found = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # a damaged file may raise anything
        raise UsageError(
            f"{path} is damaged or not a checkpoint ({type(error).__name__}); name another, or remove it"
        ) from None
    if not isinstance(found, dict) or not {"averaged", "stage", "step"} <= set(found):
        raise UsageError(f"{path} is not a checkpoint; name another, or remove it")
    return found


def entries_below(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the entries whose names begin with ``prefix``, without it."""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def load_state(module: nn.Module, state: Mapping[str, Any], path: Path) -> None:
    """Load ``state``, which was read from ``path``, into ``module``. Raises UsageError if it does not fit."""
    try:
        module.load_state_dict(state)
    except RuntimeError:
        raise UsageError(_OTHER.format(path)) from None


def check_sizes(state: Mapping[str, Any], sizes: CodeFormerConfig, path: Path) -> None:
    """Check that the checkpoint ``state``, which was read from ``path``, is of a network of these ``sizes``:
    some change what it computes, and no shape. Those of earlier versions do not say. Raises UsageError."""
    if "sizes" in state and not has_sizes(state, sizes):
        raise UsageError(_OTHER.format(path))


def has_sizes(state: Mapping[str, Any], sizes: CodeFormerConfig) -> bool:
    """Return whether the checkpoint ``state`` says that its network has these ``sizes``."""
    try:
        return "sizes" in state and CodeFormerConfig.from_dict(state["sizes"]) == sizes
    except ValueError:  # sizes of a later version
        return False


def with_adversary(saved: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of a stage from a checkpoint, ``saved``, for a stage whose state is ``own``: with that
    one's new discriminator if an adversarial loss has been added since, and without one if it has been taken
    out."""
    new = {name: value for name, value in own.items() if _is_adversary(name)}
    if bool(new) == any(map(_is_adversary, saved)):
        return dict(saved)
    return {name: value for name, value in saved.items() if not _is_adversary(name)} | new


def _is_adversary(name: str) -> bool:
    return "adversary." in name
