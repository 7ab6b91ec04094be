"""Export of a trained network as a weights file that the package loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..restoration.codeformer import CodeFormer, CodeFormerConfig


def export(
    state: Mapping[str, Tensor],
    config: CodeFormerConfig,
    path: Path,
    *,
    version: str,
    about: str,
    task: str = "restore",
) -> None:
    """Write the state dict of a CodeFormer in half precision, with the metadata to build the network.

    Args:
        state: The state dict of a network with the sizes ``config``.
        config: The sizes of the network.
        path: The .safetensors file to write; its folder is created.
        version: The version of the weights, for the metadata.
        about: The origin of the weights, for the metadata.
        task: What the network has learned to do, see :mod:`..restoration.tasks`.
    """
    CodeFormer(config).load_state_dict(state, strict=True)
    metadata = {
        "config": json.dumps(config.to_dict()),
        "version": version,
        "licence": "Apache-2.0",
        "about": about,
        "task": task,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    half = {name: value.detach().cpu().to(torch.float16).contiguous() for name, value in state.items()}
    save_file(half, path, metadata=metadata)
