"""``tools/train.py`` as users call it: from faces to a weights file, killed and resumed, and its errors."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors import safe_open

from tests.support.platforms import posix
from tests.support.small_training import changed, needs_weights, write_faces
from tests.support.stand_in import shapes
from vidrestore.errors import UsageError
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig, build_codeformer
from vidrestore.restoration.load import load_restorer
from vidrestore.restoration.tasks import find_task
from vidrestore.training.checkpoint import load_averaged
from vidrestore.training.trainer import STAGES

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "train.py"


@pytest.fixture(scope="module")
def main() -> Callable[[list[str]], int]:
    return runpy.run_path(str(TOOL))["main"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Faces, and a configuration ``short.yaml`` of a few steps."""
    stages = {"stage1": {"steps": 26}, "stage2": {"steps": 2}, "stage3": {"steps": 2}}
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(changed(**stages)))
    return write_faces(tmp_path)


def arguments(folder: Path, run: str, *more: str) -> list[str]:
    paths = ["--config", str(folder / "short.yaml"), "--faces", str(folder), "--run", str(folder / run)]
    return [*paths, "--device", "cpu", *more]


@needs_weights
def test_a_killed_run_resumes_to_the_same_numbers(main: Callable, folder: Path) -> None:
    # Many steps are left when it is killed, however late that is.
    (folder / "short.yaml").write_text(yaml.safe_dump(changed(stage1={"steps": 5000})))
    stage1 = ("--stage", "stage1")
    assert main(arguments(folder, "whole", *stage1, "--until", "26")) == 0
    assert main(arguments(folder, "killed", *stage1, "--until", "7")) == 0
    command = [sys.executable, str(TOOL), *arguments(folder, "killed", *stage1)]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    log = folder / "killed" / "stage1.csv"
    while len(log.read_text().splitlines()) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    assert process.wait() != 0
    assert torch.load(folder / "killed" / "stage1.pt", weights_only=True)["step"] == 7
    assert main(arguments(folder, "killed", *stage1, "--until", "26")) == 0
    whole, killed = (torch.load(folder / n / "stage1.pt", weights_only=True) for n in ("whole", "killed"))
    for part in ("model", "averaged", "stage"):
        torch.testing.assert_close(killed[part], whole[part], rtol=0, atol=1e-5)
    assert killed["log"]["sums"] == whole["log"]["sums"]
    texts = [(folder / n / "stage1.csv").read_text().splitlines() for n in ("whole", "killed")]
    seconds = slice(1, 3)
    for one, other in zip(*texts, strict=True):
        one, other = one.split(","), other.split(",")
        del one[seconds], other[seconds]
        assert one == other


@posix
@pytest.mark.slow
@needs_weights
def test_sigterm_finishes_the_step_and_saves(folder: Path) -> None:
    """In a process of its own: the signal must not reach the tests."""
    config = changed(stage1={"steps": 100_000})
    (folder / "short.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, str(TOOL), *arguments(folder, "run")]
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    log = folder / "run" / "stage1.csv"
    while not (log.exists() and len(log.read_text().splitlines()) > 1) and process.poll() is None:
        time.sleep(0.01)
    process.terminate()
    message = process.communicate()[1].splitlines()[-1]
    assert process.returncode == 143
    step = torch.load(folder / "run" / "stage1.pt", weights_only=True)["step"]
    assert step >= 20
    assert message == f"stage1 stopped at step {step} and saved"


@needs_weights
def test_a_run_with_a_duration_stops_and_saves_and_another_finishes_it(
    main: Callable, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, "run", "--for", "0.001s")) == 0
    assert "stage1 stopped at step 1 and saved" in capsys.readouterr().err
    assert main(arguments(folder, "run", "--stage", "stage1", "--until", "3", "--for", "1h")) == 0
    assert torch.load(folder / "run" / "stage1.pt", weights_only=True)["step"] == 3


@pytest.mark.parametrize("duration", ["9", "m", "-1h", "1d", "infs"])
def test_an_invalid_duration_is_refused(main: Callable, folder: Path, duration: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments(folder, "run", f"--for={duration}"))


@pytest.mark.parametrize("range", ["0.3,0.2", "0.2", "0,2", "a,b"])
def test_an_invalid_range_of_sharpness_is_refused(main: Callable, folder: Path, range: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments(folder, "run", f"--readable={range}"))


@needs_weights
def test_a_packed_run_continues_in_another_folder(main: Callable, folder: Path) -> None:
    packed = ("--stage", "stage1", "--pack", str(folder / "packed"))
    assert main(arguments(folder, "here", *packed, "--until", "3")) == 0
    assert main(arguments(folder, "there", *packed, "--until", "5")) == 0
    assert main(arguments(folder, "whole", "--stage", "stage1", "--until", "5")) == 0
    there, whole = (torch.load(folder / n / "stage1.pt", weights_only=True) for n in ("there", "whole"))
    assert there["step"] == 5
    torch.testing.assert_close(there["model"], whole["model"], rtol=0, atol=1e-5)


@needs_weights
def test_from_faces_to_a_weights_file(main: Callable, folder: Path) -> None:
    path = folder / "out" / "small.safetensors"
    options = ["--export", str(path), "--version", "7", "--about", "blobs"]
    options += ["--licence", "CC0-1.0", "--readable", "0.215,0.29", "--codes-hold", "0.4,0.5"]
    assert main(arguments(folder, "run", "--until", "2", *options)) == 0
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert (metadata["version"], metadata["about"]) == ("7", "blobs")
    assert json.loads(metadata["config"])["image_size"] == 64
    spec = load_restorer(path, device=torch.device("cpu"), precision="fp32").spec
    assert (spec.licence, spec.readable, spec.codes_hold) == ("CC0-1.0", (0.215, 0.29), (0.4, 0.5))
    network = build_codeformer(state, metadata, "the file")
    averaged = load_averaged(folder / "run" / "stage3.pt")
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, averaged[name], rtol=1e-3, atol=1e-4)


@needs_weights
@pytest.mark.parametrize("task", ["colour", "inpaint"])
def test_a_network_for_another_task(main: Callable, folder: Path, task: str) -> None:
    """All stages; the file says what it is for, and is loaded for that."""
    stages = {stage: {"steps": 2} for stage in STAGES} | {"stage1": {"steps": 2, "adain": task == "colour"}}
    (folder / "short.yaml").write_text(yaml.safe_dump(changed(task=task, **stages)))
    path = folder / "out.safetensors"
    assert main(arguments(folder, "run", "--export", str(path), "--version", "1", "--about", "blobs")) == 0
    restorer = load_restorer(path, device=torch.device("cpu"), precision="fp32", task=task)
    assert restorer.spec.input_size == 64
    with pytest.raises(UsageError, match=f"--task {task}"):
        load_restorer(path, device=torch.device("cpu"), precision="fp32")


@pytest.mark.parametrize("task", ["colour", "inpaint"])
def test_the_configurations_of_tasks_have_the_published_shapes(main: Callable, task: str) -> None:
    config = main.__globals__["read_config"](task)
    assert config["task"] == task
    with torch.device("meta"):
        state = CodeFormer(CodeFormerConfig.from_dict(config["model"])).state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == shapes(task)
    assert config["stage1"]["adain"] == find_task(task).adain


def wrong_names(folder: Path) -> None:
    (folder / "faces.csv").write_text("name,enlarged\na.jpg,1.0\n")


def no_faces(folder: Path) -> None:
    (folder / "faces.npy").unlink()


def large_faces(folder: Path) -> None:
    np.save(folder / "faces.npy", np.zeros((2, 96, 96, 3), np.uint8))


def no_yaml(folder: Path) -> None:
    (folder / "short.yaml").write_text("a: [1, 2")


def wrong_key(folder: Path) -> None:
    (folder / "short.yaml").write_text(yaml.safe_dump(changed(stage2={"beta": 0.1})))


@pytest.mark.parametrize(
    ("break_input", "more", "message"),
    [
        (None, ["--config", "larger"], "cannot read the configuration larger; give a YAML file, or one of"),
        (None, ["--config", "lite", "--device", "abacus"], "unknown device 'abacus'"),
        (None, ["--stage", "stage2"], "train stage1 first"),
        (wrong_names, [], "2 faces but 1 names"),
        (no_faces, [], "has no faces.npy and faces.csv; create them with tools/prepare_faces.py"),
        (large_faces, [], "96 pixels wide, which is not a multiple of 64"),
        (no_yaml, [], "short.yaml is not valid YAML"),
        (wrong_key, [], "short.yaml: stage2 has unknown settings: beta"),
    ],
)
def test_an_error_is_one_sentence(
    main: Callable,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    break_input: Callable[[Path], None] | None,
    more: list[str],
    message: str,
) -> None:
    if break_input:
        break_input(folder)
    assert main(arguments(folder, "run", *more)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_exported_file_records_its_origin(
    main: Callable, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments(folder, "run", "--export", "lite.safetensors"))
    assert "--export needs --version and --about" in capsys.readouterr().err
