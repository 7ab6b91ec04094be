"""A trained network as the one file that the package loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..restoration.codeformer import CodeFormer, CodeFormerConfig


def export(
    state: Mapping[str, Tensor], config: CodeFormerConfig, path: Path, *, version: str, about: str
) -> None:
    """Write ``state`` (a CodeFormer's of this ``config``) in half precision, with a header that says
    how to build the network and where it comes from."""
    CodeFormer(config).load_state_dict(state, strict=True)
    metadata = {
        "config": json.dumps(config.to_dict()),
        "version": version,
        "licence": "Apache-2.0",
        "about": about,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    half = {name: value.detach().cpu().to(torch.float16).contiguous() for name, value in state.items()}
    save_file(half, path, metadata=metadata)
