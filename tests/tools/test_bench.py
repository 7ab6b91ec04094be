"""``tools/bench.py`` on a few frames: the figures are consistent and as requested."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.tools import load_tool


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    return load_tool("bench")


@pytest.fixture
def measured(bench, tmp_path, capsys):
    def run(*args: str) -> list[dict]:
        path = tmp_path / "figures.json"
        assert bench.main([*args, "--json", str(path), "--device", "cpu"]) == 0
        figures = json.loads(path.read_text())
        assert figures["command"] == args[0]
        assert figures["machine"]["cores"] >= 1
        assert capsys.readouterr().out.count("\n") > len(figures["rows"])
        return figures["rows"]

    return run


def test_the_baseline_program_restores_the_same_frames(measured):
    (row,) = measured("compare", "--frames", "4", "--rounds", "1")
    assert row["frames"] == row["faces"] == row["plain_faces"] == 4
    assert row["ratio"] == pytest.approx(row["vidrestore"] / row["plain"])
    assert set(row["plain_steps"]) == {"decode", "detect", "align", "network", "paste", "encode"}
    assert 0.9 < sum(row["plain_steps"].values()) <= 1
    assert 0 < row["network_share"] < 1


def test_the_pipeline_is_measured(measured):
    (row,) = measured("pipeline", "--frames", "5", "--batch", "2")
    assert row["frames"] == row["faces"] == 5
    assert row["frames_per_second"] == pytest.approx(5 / row["wall"])
    network = row["profile"]["sections"]["network"]
    assert (network["items"], network["calls"]) == (5, 6)
    assert row["network_share"] == pytest.approx(network["seconds"] / row["wall"])


def test_networks_are_measured(measured):
    options = ["--models", "lite", "--precisions", "fp32", "--batches", "1", "2"]
    rows = measured("network", *options, "--w", "0.5", "--seconds", "0")
    assert [row["batch"] for row in rows] == [1, 2]
    for row in rows:
        assert row["share"] == pytest.approx(row["tflops"] / row["peak_tflops"])


@pytest.mark.slow
def test_scaling(measured):
    rows = measured("scaling", "--sizes", "360p", "720p", "--faces", "0", "4", "--frames", "4")
    assert [(row["size"], row["faces_per_frame"]) for row in rows] == [
        ("360p", 0),
        ("360p", 4),
        ("720p", 0),
        ("720p", 4),
    ]


@pytest.mark.slow
def test_memory(measured, tmp_path):
    sample = Path(__file__).parents[2] / "samples" / "archive.mp4"
    short, long = measured("memory", "--clip", str(sample), "--times", "2", "--slow", "0.02")
    assert long["frames"] == 2 * short["frames"]
    assert short["wall"] > 0.02 * short["frames"]
    assert 100 < long["peak_mb"] < 1.1 * short["peak_mb"]


@pytest.mark.slow
def test_hours(measured):
    rows = measured("hours", "--hours", "0.02", "--rate", "5")
    assert len(rows) == 10
    assert [row["frames"] for row in rows] == [36 * k for k in range(1, 11)]
    assert sum(row["faces"] for row in rows) > 5
