"""The configuration of a tiny network, and two faces that it can learn in a few steps."""

from __future__ import annotations

import copy
import csv
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vidrestore.measure.face_set import FaceSet
from vidrestore.measure.perceptual import PerceptualDistance
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig
from vidrestore.training.checkpoint import load_averaged
from vidrestore.training.data import Pairs, to_network
from vidrestore.training.stage2 import Stage2

from .face_folders import write_face_folder

needs_weights = pytest.mark.skipif(find_spec("stlpips_pytorch") is None, reason="no perceptual weights")

_COMMON = {"batch": 2, "rate": 2e-3, "clip": 1.0, "average": 0.9}
_IMAGE = {"gradient": 0.5, "perceptual": 0.2, "perceptual_net": "alex", "crop": 32}
_IMAGE |= {"adversarial": 0.8, "adversarial_start": 20, "discriminator_channels": 8}
CONFIG: dict[str, Any] = {
    "seed": 3,
    "precision": "fp32",
    "workers": 0,
    "degradation": "paper",
    "sheet_every": 0,
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
        "cft_sizes": [8, 16],
    },
    "stage1": _COMMON | _IMAGE | {"steps": 80, "part": 64, "warmup": 10, "adain": True, "commitment": 0.25},
    "stage2": _COMMON | {"steps": 60, "encoder_scale": 0.5, "feature": 0.5},
    "stage3": _COMMON
    | _IMAGE
    | {"steps": 60, "encoder_scale": 1.0, "generator_scale": 0.3, "w_zero": 0.2, "w_one": 0.5}
    | {"code_every": 2, "code": 0.5, "feature": 0.5, "perceptual": 1.0, "adversarial": 0.2},
}

#: Changes that give the same network a CFT at image level.
IMAGE: dict[str, Any] = {
    "model": CONFIG["model"] | {"multipliers": [1, 2, 2], "cft_sizes": [], "image_widths": [12, 16, 16]},
    "stage3": _COMMON
    | {"steps": 60, "parts": 2, "part": 64, "pixel_zero": 0.5, "structure": 1.0, "perceptual_parts": 4}
    | {"perceptual_one": 0.1, "perceptual_zero": 0.3, "perceptual_net": "alex"}
    | {"adversarial": 0.3, "adversarial_start": 20, "discriminator_channels": 8},
}
#: Sizes of a network with a correction.
WITH_CORRECTION: dict[str, Any] = CONFIG["model"] | {"multipliers": [1, 2, 2], "image_widths": [12, 16, 16]}
#: Changes with which the correction's U-Net is that of the embedded model.
LITES: dict[str, Any] = {"image_size": 128, "channels": 32, "multipliers": [1, 2, 2, 2]} | {
    "image_widths": [48, 80, 112, 144]
}


def changed(**tables: Any) -> dict[str, Any]:
    """Return :data:`CONFIG` with some settings of its tables, or some general settings, changed."""
    config = copy.deepcopy(CONFIG)
    for name, value in tables.items():
        config[name] = config[name] | value if isinstance(value, dict) else value
    return config


def write_faces(folder: Path, side: int = 64) -> Path:
    """Write two images of smooth blobs as a prepared folder of faces."""
    y, x = np.mgrid[:side, :side]
    blobs = [
        np.stack([128 + 100 * np.sin(x / (6 + c + i) + i) * np.cos(y / (9 - c)) for c in range(3)], axis=-1)
        for i in range(2)
    ]
    return write_face_folder(folder, np.stack(blobs).astype(np.uint8), ["a.jpg", "b.jpg"])


def evaluate_checkpoint(
    checkpoint: Path, config: dict[str, Any], faces: FaceSet, w: float
) -> tuple[float, float]:
    """Return L1 and perceptual distance of a checkpoint's averaged network on 16 degraded faces.

    The faces are always the same. The logged losses are of different faces at each step, so a few steps of
    them are not conclusive.
    """
    pairs = Pairs(faces, seed=7, length=16, form=config["degradation"])
    clean, degraded = (
        to_network(torch.stack(images)) for images in zip(*(pairs[i] for i in range(16)), strict=True)
    )
    network = CodeFormer(CodeFormerConfig.from_dict(config["model"])).eval()
    network.load_state_dict(load_averaged(checkpoint))
    with torch.no_grad():
        restored = network(degraded, w)
        distance = PerceptualDistance(config["stage3"]["perceptual_net"])(restored, clean)
    return (restored - clean).abs().mean().item(), distance.mean().item()


def column(path: Path, name: str) -> list[float]:
    """Return the values of a column of a log, without empty cells."""
    with path.open(newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file) if row[name]]


def start_at_image(folder: Path) -> Path:
    """A run folder with an untrained network of :data:`IMAGE` as the result of stage II."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    network = CodeFormer(CodeFormerConfig.from_dict(IMAGE["model"]))
    torch.save({"averaged": network.state_dict(), "stage": {}, "step": 0}, folder / "stage2.pt")
    return folder


def with_untrained(folder: Path, stage: str, config: dict[str, Any] = CONFIG) -> Path:
    """Write untrained weights as the checkpoint of a stage: all that the next stage needs."""
    network = CodeFormer(CodeFormerConfig.from_dict(config["model"]))
    more = Stage2(network, {}).state_dict() if stage == "stage2" else {}
    torch.save({"averaged": network.state_dict(), "stage": more, "step": 0}, folder / f"{stage}.pt")
    return folder
