"""Two processes train what one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from tests.support.small_training import changed, needs_weights, write_faces
from vidrestore.measure.face_set import FaceSet
from vidrestore.training.trainer import Trainer

pytestmark = needs_weights

ROOT = Path(__file__).parents[2]
#: Parts per face and dead codes in the first stage, codes at some steps only and a w per face in the third.
#: At a high rate rounding grows from step to step, as it does in any training.
STEPS = 5
COMMON = {"steps": STEPS, "batch": 4, "rate": 2e-4}
STAGES = {
    "stage1": COMMON | {"part": 64, "warmup": 2, "adversarial_start": 3},
    "stage2": COMMON,
    "stage3": COMMON | {"adversarial_start": 3},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The three stages, by one process and by two that each save their own state as well."""
    folder = tmp_path_factory.mktemp("distributed")
    config = changed(model={"image_size": 96, "cft_sizes": [12, 24]}, **STAGES)
    (folder / "small.yaml").write_text(yaml.safe_dump(config))
    write_faces(folder, side=96)
    found = {name: folder / name for name in ("one", "two")}
    found["one"].mkdir()
    for stage in STAGES:
        Trainer(config, stage, faces=FaceSet(folder), run=found["one"]).train()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(ROOT / "tests" / "support" / "each_saves.py")]
    command += [
        "--config",
        str(folder / "small.yaml"),
        "--faces",
        str(folder),
        "--run-folder",
        str(found["two"]),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "--device", "cpu"], check=True, capture_output=True, env=environment)
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_both_processes_have_the_same_weights(runs: dict[str, Path], stage: str) -> None:
    one, other = (torch.load(runs["two"] / f"{stage}.rank{i}.pt", weights_only=True) for i in range(2))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("stage", STAGES)
def test_two_processes_learn_what_one_does(runs: dict[str, Path], stage: str) -> None:
    one, two = (torch.load(runs[name] / f"{stage}.pt", weights_only=True) for name in ("one", "two"))
    assert one["step"] == two["step"] == STEPS
    for name, sums in one["log"]["sums"].items():
        # What hangs on the discriminator's first steps differs most: Adam makes whole steps of rounding.
        rel = 1e-2 if name in ("adversarial", "adaptive") else 1e-3
        assert two["log"]["sums"][name] == pytest.approx(sums, rel=rel, abs=1e-5), name
    for name, value in one["model"].items():
        # In the mean: where a gradient is next to nothing, Adam's first steps follow its rounding.
        assert (two["model"][name] - value).abs().mean() < 2e-5, name
