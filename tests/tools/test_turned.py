"""The command line of tools/turned.py."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.tools import load_tool

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


def test_a_row_for_each_angle(tmp_path, capsys):
    options = ["--angles", "90", "--levels", "mild", "-t", "0.12", "--device", "cpu"]
    figures = tmp_path / "out.json"
    model = ["--", "--model", "lite", "--device", "cpu"]
    assert load_tool("turned").main([str(SAMPLE), *options, "--json", str(figures), *model]) == 0
    [(title, rows)] = json.loads(figures.read_text()).items()
    assert title == "portrait, mild"
    assert list(rows) == ["0 degrees", "90 degrees"]
    assert [row["frames"] for row in rows.values()] == [3, 3]
    assert rows["0 degrees"]["difference"] == 0
    assert "90 degrees" in capsys.readouterr().out


def test_a_clip_that_does_not_exist_is_one_sentence(tmp_path, capsys):
    assert load_tool("turned").main([str(tmp_path / "none.mp4")]) == 1
    assert "does not exist" in capsys.readouterr().err
