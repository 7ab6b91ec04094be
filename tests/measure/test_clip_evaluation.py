"""Evaluation of settings on clips: every setting is restored and measured, and the reports."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import decode, write
from vidrestore.measure.clip_evaluation import ClipEvaluator, settings_report, settings_sheet
from vidrestore.measure.clip_metrics import ClipMetrics
from vidrestore.measure.settings import Setting

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


def metrics(value: float) -> ClipMetrics:
    image = np.zeros((4, 4, 3), np.uint8)
    return ClipMetrics(
        [0], [1], [0], {"input": {"psnr": value}}, {"input": {"psnr": [value]}}, [("face", [image] * 2)]
    )


def test_every_setting_is_restored_and_measured(tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    frames = decode(SAMPLE)[:3]
    clean = write(tmp_path / "clean.mkv", frames, options={"qp": "0"})
    worse = write(tmp_path / "worse.mkv", frames, options={"crf": "45"})
    calls = []

    def restore(clip: Path, out: Path, options: Sequence[str]) -> dict[str, float]:
        calls.append((clip, list(options)))
        shutil.copy(clean if "--w" in options else clip, out)
        return {"codes": 3.0} if "--w" in options else {}

    evaluator = ClipEvaluator(device="cpu")
    settings = [Setting("perfect", ("--w", "0")), Setting("nothing")]
    found = evaluator.measure_settings(clean, worse, settings, restore, args=["--model", "lite"])
    assert calls == [(worse, ["--model", "lite", "--w", "0"]), (worse, ["--model", "lite"])]
    assert list(found.rows) == ["input", "perfect", "nothing"]
    assert found.rows["nothing"] == found.rows["input"]
    assert found.rows["perfect"]["psnr"] == 100 > found.rows["input"]["psnr"]
    assert found.rows["perfect"]["codes"] == 3


def test_the_report_of_one_clip_has_no_mean() -> None:
    assert settings_report({"a.mkv": metrics(30.0)}) == {
        "clips": {
            "a.mkv": {
                "faces": {"frame": [0], "track": [1], "measured": [0]},
                "settings": {"input": {"psnr": 30.0, "per_face": {"psnr": [30.0]}}},
            }
        }
    }


def test_the_report_of_several_clips_has_their_mean() -> None:
    report = settings_report({"a.mkv": metrics(30.0), "b.mkv": metrics(40.0)})
    assert list(report["clips"]) == ["a.mkv", "b.mkv"]
    assert report["mean"] == {"input": {"psnr": 35.0}}


def test_one_sheet_for_all_clips() -> None:
    columns, rows = settings_sheet({"folder/a.mkv": metrics(30.0), "b.mkv": metrics(40.0)})
    assert columns == ["input", "clean"]
    assert [label for label, _ in rows] == ["a.mkv: face", "b.mkv: face"]
