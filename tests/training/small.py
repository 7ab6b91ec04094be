"""A tiny network's configuration, and two faces few enough to be learnt by heart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

COMMON = {"batch": 2, "rate": 2e-3, "clip": 1.0, "average": 0.9}
IMAGE = {"gradient": 0.5, "perceptual": 0.2, "perceptual_net": "alex", "crop": 32}
CONFIG: dict[str, Any] = {
    "seed": 3,
    "precision": "fp32",
    "workers": 0,
    "degradation": "paper",
    "model": {
        "image_size": 64,
        "patch": 4,
        "channels": 16,
        "multipliers": [1, 2],
        "residual_blocks": 1,
        "attention_sizes": [],
        "norm_groups": 4,
        "codebook_size": 32,
        "code_channels": 16,
        "transformer_width": 32,
        "transformer_heads": 2,
        "transformer_layers": 1,
        "transformer_mlp": 32,
        "cft_sizes": [8],
        "image_cft": True,
    },
    "stage1": COMMON | IMAGE | {"steps": 40, "part": 64, "warmup": 10, "adain": True, "commitment": 0.25},
    "stage2": COMMON | {"steps": 40, "encoder_scale": 0.5, "feature": 0.5},
    "stage3": COMMON
    | IMAGE
    | {"steps": 12, "generator_scale": 0.3, "w_zero": 0.2, "w_one": 0.5}
    | {"code_every": 4, "code": 0.05, "feature": 0.5},
}


def changed(stage: str, **settings: Any) -> dict[str, Any]:
    """:data:`CONFIG` with other settings for one stage."""
    return CONFIG | {stage: CONFIG[stage] | settings}


def write_faces(folder: Path, side: int = 64) -> Path:
    """Two pictures of soft blobs, as ``tools/prepare_faces.py`` writes faces."""
    y, x = np.mgrid[:side, :side]
    blobs = [
        np.stack([128 + 100 * np.sin(x / (6 + c + i) + i) * np.cos(y / (9 - c)) for c in range(3)], axis=-1)
        for i in range(2)
    ]
    np.save(folder / "faces.npy", np.stack(blobs).astype(np.uint8))
    (folder / "faces.csv").write_text("name,enlarged\na.jpg,1.0\nb.jpg,1.0\n")
    return folder
