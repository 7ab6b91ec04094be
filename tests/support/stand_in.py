"""Stand-in weights: every tensor drawn from a generator seeded with the CRC-32 of its own key.

Any implementation with the same keys and shapes gets the same weights, so that its outputs can be
compared number by number with those recorded from the published network with the same weights.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import torch

SHAPES = Path(__file__).parents[1] / "data" / "codeformer_shapes.json"


def shapes(task: str = "restore") -> dict[str, list[int]]:
    """Keys and shapes of the published ``params_ema``: those of the networks for the other tasks lack the CFT
    at 256 pixels, and the one that fills holes has 512 codes."""
    found = json.loads(SHAPES.read_text())
    if task != "restore":
        found = {key: shape for key, shape in found.items() if not key.startswith("fuse_convs_dict.256.")}
    if task == "inpaint":
        found |= {"quantize.embedding.weight": [512, 256], "idx_pred_layer.1.weight": [512, 512]}
    return found


def stand_in(key: str, shape: list[int]) -> torch.Tensor:
    """The stand-in for one tensor, float32."""
    x = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    if key == "position_emb":
        x *= np.float32(0.02)
    elif len(shape) >= 2 and not key.endswith("embedding.weight"):
        x /= np.float32(np.sqrt(np.prod(shape[1:])))
    elif len(shape) == 1:
        x = np.float32(1) + x * np.float32(0.1) if key.endswith("weight") else x * np.float32(0.05)
    return torch.from_numpy(x)


def image() -> torch.Tensor:
    """The input of the recorded outputs: (1, 3, 512, 512) in [-1, 1]."""
    y, x = np.mgrid[0:512, 0:512].astype(np.float32) / np.float32(512)
    rings = np.sin(40 * np.hypot(x - 0.5, y - 0.5))
    planes = np.stack([rings * x, np.cos(9 * x + 4 * y), rings * y - 0.2])
    return torch.from_numpy(planes[None].astype(np.float32))
