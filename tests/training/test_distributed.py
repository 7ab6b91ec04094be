"""Two processes train what one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from tests.support.platforms import posix
from tests.support.small_networks import HALF, LARGE
from tests.support.small_training import CONFIG, IMAGE, changed, needs_weights, start_at_image, write_faces
from vidrestore.measure.face_set import FaceSet
from vidrestore.training.trainer import Trainer

pytestmark = [needs_weights, posix]

ROOT = Path(__file__).parents[2]
#: Parts per face and dead codes in the first stage, codes at some steps only and a w per face in the third.
STEPS = 5
#: So low that the weights hardly move: one process and two sum in another order, and Adam turns a gradient
#: that is nothing but rounding into a step of the full rate. At a high rate these differences grow from step
#: to step, by an amount that depends on the kernels of the CPU.
RATE = 1e-6
COMMON = {"steps": STEPS, "batch": 4, "rate": RATE}
STAGES = {
    "stage1": COMMON | {"part": 64, "warmup": 2, "adversarial_start": 3},
    "stage2": COMMON,
    "stage3": COMMON | {"adversarial_start": 3},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The three stages, by one process and by two that each save their own state as well."""
    config = changed(model={"image_size": 96, "cft_sizes": [12, 24]}, **STAGES)
    return train_both(tmp_path_factory.mktemp("distributed"), config, *STAGES)


def train_both(
    folder: Path, config: dict[str, Any], *stages: str, begin: Path | None = None
) -> dict[str, Path]:
    """The folders of the run by one process, "one", and by two, "two". What they start from may be there."""
    (folder / "small.yaml").write_text(yaml.safe_dump(config))
    write_faces(folder, side=config["model"]["image_size"])
    found = {name: folder / name for name in ("one", "two")}
    for run in found.values():
        run.mkdir(exist_ok=True)
    for stage in stages:
        Trainer(config, stage, faces=FaceSet(folder), run=found["one"], begin=begin).train()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(ROOT / "tests" / "support" / "each_saves.py")]
    command += [
        "--config",
        str(folder / "small.yaml"),
        "--faces",
        str(folder),
        "--run-folder",
        str(found["two"]),
        *(["--stage", *stages] if len(stages) == 1 else []),
        *(["--begin-from", str(begin)] if begin else []),
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
    compare(runs, stage)


# Of few crops of a batch the two processes have 2 and 1, or at the first step 1 and none. There is no
# adversary: the perceptual network's gradient has kinks, at which rounding changes the adaptive weight.
@pytest.mark.parametrize("perceptual_parts", [3, pytest.param(2, marks=pytest.mark.slow)])
def test_two_processes_show_the_perceptual_network_what_one_does(
    tmp_path: Path, perceptual_parts: int
) -> None:
    settings = IMAGE["stage3"] | COMMON | {"perceptual_parts": perceptual_parts, "adversarial": 0.0}
    for name in ("one", "two"):
        start_at_image(tmp_path / name)
    runs = train_both(tmp_path, CONFIG | IMAGE | {"stage3": settings}, "stage3")
    assert {"perceptual_one", "perceptual_zero"} <= set(compare(runs, "stage3"))


def test_two_processes_imitate_as_one_does(tmp_path: Path) -> None:
    write_faces(tmp_path, side=128)
    (tmp_path / "small").mkdir()
    config = {"stage1": {"steps": 1, "part": 64, "warmup": 0, "adversarial": 0.0}}
    config = changed(**config) | {"model": HALF.to_dict()}
    Trainer(config, "stage1", faces=FaceSet(tmp_path, 64), run=tmp_path / "small").train()
    settings = COMMON | {"part": 128, "warmup": 0, "adversarial": 0.0, "outer_steps": STEPS}
    config = changed(stage1=settings) | {"model": LARGE.to_dict()}
    runs = train_both(tmp_path, config, "stage1", begin=tmp_path / "small" / "stage1.pt")
    assert "imitation" in compare(runs, "stage1")


def compare(runs: dict[str, Path], stage: str) -> dict[str, list[float]]:
    """Losses, gradients, and what is learnt by averaging agree to what rounding in fp32 explains. Returns
    what one process logged."""
    one, two = (torch.load(runs[name] / f"{stage}.pt", weights_only=True) for name in ("one", "two"))
    assert one["step"] == two["step"] == STEPS
    for name, sums in one["log"]["sums"].items():
        assert two["log"]["sums"][name] == pytest.approx(sums, rel=1e-3, abs=1e-5), name
    for own, other in zip(two["optimisers"], one["optimisers"], strict=True):
        assert difference(gradients(own), gradients(other)) < 1e-2
    for name, value in one["stage"].items():
        if name.endswith("adversary._extra_state"):
            for own, other in zip(two["stage"][name], value, strict=True):
                assert difference(gradients(own), gradients(other)) < 1e-2
        else:
            torch.testing.assert_close(two["stage"][name], value, rtol=1e-3, atol=1e-4, msg=name)
    for name, value in one["model"].items():
        assert (two["model"][name] - value).abs().mean() < RATE, name
    return one["log"]["sums"]


def gradients(optimiser: dict[str, Any]) -> torch.Tensor:
    """Adam's moving averages of all gradients, in one vector."""
    return torch.cat([state["exp_avg"].flatten() for state in optimiser["state"].values()])


def difference(value: torch.Tensor, expected: torch.Tensor) -> float:
    """The distance of two vectors, relative to the length of ``expected``."""
    return float((value - expected).norm() / expected.norm())
