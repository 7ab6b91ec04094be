"""``tools/gpu_check.py``: its results, however far it gets."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch

from tests.support.tools import load_tool
from vidrestore.measure.face_set import FaceSet


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("gpu_check")


def test_every_part_leaves_its_state_and_figures(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    figures = tmp_path / "speed.json"
    write = f"from pathlib import Path; Path({str(figures)!r}).write_text('[1]'); print('measured')"
    table = tmp_path / "stage1.csv"
    table.write_text("step,l1\n20,0.5\n")
    part = tool.Part
    parts = [
        part(name="good", arguments=("-c", write), limit=60, figures=figures),
        part(name="bad", arguments=("-c", "exit(3)"), limit=60, figures=tmp_path / "no.json"),
        part(name="slow", arguments=("-c", "import time; time.sleep(60)"), limit=0.2, figures=table),
        part(name="empty", arguments=("-c", ""), limit=60, figures=tmp_path / "no.json"),
        part(name="on a GPU", arguments=("-c", "exit(4)"), limit=60, needs_cuda=True),
    ]
    out = tmp_path / "out"
    assert not tool.run(parts, out, minutes=1)
    results = json.loads((out / "gpu_check.json").read_text())
    assert results["machine"]["gpu"] is None
    found = {name: (result["state"], result["figures"]) for name, result in results["parts"].items()}
    assert found == {
        "good": ("passed", [1]),
        "bad": ("failed (exit code 3)", None),
        "slow": ("stopped after 0 s", [{"step": "20", "l1": "0.5"}]),
        "empty": ("ended without figures", None),
        "on a GPU": ("skipped: no CUDA device", None),
    }
    assert "measured" in (out / "gpu_check.log").read_text()
    assert tool.run(parts[:1], out, minutes=1)
    assert not tool.run(parts[:1], out, minutes=0)


def test_the_parts_are_in_order_and_fit_in_ten_minutes(tool: ModuleType, tmp_path: Path) -> None:
    parts = tool.parts(tmp_path, tmp_path, "cuda")
    assert [part.name for part in parts] == ["tests", "network", "compare", "training"]
    assert all(part.needs_cuda for part in parts)
    assert sum(part.limit for part in parts) < 600
    assert [part.needs_cuda for part in tool.parts(tmp_path, tmp_path, "cpu")] == [True, False, False, False]


def test_without_a_gpu_everything_is_skipped(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert tool.main(["--out", str(tmp_path)]) == 1
    assert capsys.readouterr().out.count("skipped: no CUDA device") == 4


def test_random_images_serve_as_faces(tool: ModuleType, tmp_path: Path) -> None:
    faces = FaceSet(tool.write_random_faces(tmp_path, side=64))
    assert faces.face(3).shape == (3, 64, 64)
    assert len(faces.training)
