"""A tiny untrained network, which makes whole runs quick. Its faces look like nothing."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig

_SIZES = {
    "image_size": 64,
    "patch": 4,
    "channels": 16,
    "multipliers": (1, 2, 2),
    "residual_blocks": 1,
    "attention_sizes": (),
    "norm_groups": 4,
    "codebook_size": 32,
    "code_channels": 16,
    "transformer_width": 32,
    "transformer_heads": 2,
    "transformer_layers": 1,
    "transformer_mlp": 32,
    "cft_sizes": (),
    "image_widths": (12, 16, 16),
}


def save_weights(path: Path, task: str | None = None) -> Path:
    """Write its weights, the same each time, to a .safetensors file that says it is for ``task``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = CodeFormer(CodeFormerConfig(**_SIZES))
    path.parent.mkdir(exist_ok=True)
    about = {"task": task} if task else {}
    save_file(network.state_dict(), path, {"config": json.dumps(_SIZES)} | about)
    return path
