"""Export of a trained network as a weights file that the package loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..restoration.codeformer import CodeFormer, CodeFormerConfig

#: What a file says whose licence is not given.
UNKNOWN_LICENCE = "unknown"


def export(
    state: Mapping[str, Tensor],
    config: CodeFormerConfig,
    path: Path,
    *,
    version: str,
    about: str,
    task: str = "restore",
    licence: str = UNKNOWN_LICENCE,
    readable: tuple[float, float] | None = None,
    codes_hold: tuple[float, float] | None = None,
) -> None:
    """Write the state dict of a CodeFormer in half precision, with the metadata to build the network.

    Args:
        state: The state dict of a network with the sizes ``config``.
        config: The sizes of the network.
        path: The .safetensors file to write; its folder is created.
        version: The version of the weights, for the metadata.
        about: The origin of the weights, for the metadata.
        task: What the network has learned to do, see :mod:`..restoration.tasks`.
        licence: The licence of the weights, which those of the faces may bind.
        readable: The range of sharpness over which faces become readable to the network, two rising numbers
            in [0, 1], see :func:`..restoration.fidelity.rules.wear`; None: that of the published network.
        codes_hold: The range of sharpness over which faces come to show more than the codes hold, likewise,
            see :func:`..restoration.fidelity.rules.beyond_codes`; None: they hold every face.
    """
    CodeFormer(config).load_state_dict(state, strict=True)
    metadata = {
        "config": json.dumps(config.to_dict()),
        "version": version,
        "licence": licence,
        "about": about,
        "task": task,
    }
    ranges = {"readable": readable, "codes_hold": codes_hold}
    metadata |= {name: json.dumps(bounds) for name, bounds in ranges.items() if bounds}
    path.parent.mkdir(parents=True, exist_ok=True)
    half = {name: value.detach().cpu().to(torch.float16).contiguous() for name, value in state.items()}
    save_file(half, path, metadata=metadata)
