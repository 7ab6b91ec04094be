"""The correction of the input in stage III: where it begins, and how much of what it learns is kept."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ..errors import UsageError
from ..restoration.codeformer import CodeFormer
from ..weights.store import load_state

_PREFIX = "correction."


def begin_correction(model: CodeFormer, source: str) -> None:
    """Load into the correction of ``model`` the U-Net at the image of the weights ``source``, a name of the
    registry: what it adds to its input at ``w = 1``. The features of another generator mean something else,
    so these weights begin at zero. Raises UsageError if the two do not fit."""
    trained = _image_network(source)
    if model.correction is None or not trained:
        raise UsageError(f"stage3: correction_from is {source}, but one of the two networks has no U-Net")
    try:
        model.correction.load_state_dict(_begun(trained, model.correction.last.out_channels))
    except RuntimeError:
        raise UsageError(
            f"stage3: correction_from is {source}, whose U-Net has other sizes than this network's"
        ) from None


def keep_share(state: Mapping[str, Tensor], source: str, share: float) -> dict[str, Tensor]:
    """Return the state dict ``state`` of a network whose correction began with that of ``source``, with
    ``share`` (in [0, 1]) of what the correction has learned since: the weighted mean of its weights and those
    that it began with (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022, equation 1)."""
    began = _begun(_image_network(source), len(state[f"{_PREFIX}last.weight"]))
    return {
        name: began[own].to(x).lerp(x, share) if (own := name.removeprefix(_PREFIX)) != name else x
        for name, x in state.items()
    }


def _image_network(source: str) -> dict[str, Tensor]:
    prefix = "image_transform."
    state, _ = load_state(source)
    return {name.removeprefix(prefix): x.float() for name, x in state.items() if name.startswith(prefix)}


def _begun(trained: Mapping[str, Tensor], outputs: int) -> dict[str, Tensor]:
    """The weights that a correction with ``outputs`` channels begins with."""
    began = dict(trained)
    for name in ("last.weight", "last.bias"):  # its other outputs are the detail for smaller w
        began[name] = began[name][:outputs]
    began["features.1.weight"] = torch.zeros_like(began["features.1.weight"])
    return began
