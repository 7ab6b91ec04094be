"""The three stages, a few steps each on a tiny network: they learn, and a resumed run is the same run."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vidrestore.training.data import FaceSet
from vidrestore.training.trainer import Trainer, load_averaged

pytestmark = pytest.mark.skipif(find_spec("stlpips_pytorch") is None, reason="no perceptual weights")

COMMON = {"batch": 2, "rate": 2e-3, "clip": 1.0, "average": 0.9}
IMAGE = {"gradient": 0.5, "perceptual": 0.2, "perceptual_net": "alex", "crop": 32}
CONFIG: dict[str, Any] = {
    "seed": 3,
    "precision": "fp32",
    "workers": 0,
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


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    """Two pictures of soft blobs: few enough to be learnt by heart."""
    folder = tmp_path_factory.mktemp("faces")
    y, x = np.mgrid[:64, :64]
    blobs = [
        np.stack([128 + 100 * np.sin(x / (6 + c + i) + i) * np.cos(y / (9 - c)) for c in range(3)], axis=-1)
        for i in range(2)
    ]
    np.save(folder / "faces.npy", np.stack(blobs).astype(np.uint8))
    (folder / "faces.csv").write_text("name,enlarged\na.jpg,1.0\nb.jpg,1.0\n")
    return FaceSet(folder)


@pytest.fixture(scope="module")
def run(faces: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the first two stages done."""
    folder = tmp_path_factory.mktemp("run")
    for stage in ("stage1", "stage2"):
        Trainer(CONFIG, stage, faces=faces, run=folder).train()
    return folder


def column(path: Path, name: str) -> list[float]:
    lines = [line.split(",") for line in path.read_text().splitlines()]
    at = lines[0].index(name)
    return [float(line[at]) for line in lines[1:]]


@pytest.mark.parametrize(("stage", "figure"), [("stage1", "l1"), ("stage2", "entropy")])
def test_a_stage_learns(run: Path, stage: str, figure: str) -> None:
    figures = column(run / f"{stage}.csv", figure)
    assert len(figures) == 2
    assert figures[-1] < 0.85 * figures[0]


def test_stage2_leaves_codebook_and_generator(run: Path) -> None:
    before, after = (load_averaged(run / f"{stage}.pt") for stage in ("stage1", "stage2"))
    same = {name.split(".")[0] for name in before if torch.equal(before[name], after[name])}
    assert {"quantize", "generator"} <= same
    assert not torch.equal(before["position_emb"], after["position_emb"])


def test_stage3_resumes_to_the_same_numbers(faces: FaceSet, run: Path, tmp_path: Path) -> None:
    losses = []
    for name, stops in (("whole", [None]), ("killed", [5, None])):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "stage2.pt").hardlink_to(run / "stage2.pt")
        for until in stops:
            trainer = Trainer(CONFIG, "stage3", faces=faces, run=folder)
            last = trainer.train(until=until)
        assert trainer.step == 12
        losses.append(last)
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    whole, killed = (load_averaged(tmp_path / name / "stage3.pt") for name in ("whole", "killed"))
    for name, value in whole.items():
        torch.testing.assert_close(killed[name], value, rtol=0, atol=1e-5)


def test_a_stage_needs_the_one_before(faces: FaceSet, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Trainer(CONFIG, "stage2", faces=faces, run=tmp_path)
