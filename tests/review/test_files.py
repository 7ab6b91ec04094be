"""The files of a run: where they may be, and that they tell the whole of a run that was cut short."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import write
from tests.support.runs import face_frame
from tests.support.tiny import save_weights
from vidrestore.analysis import analyze_video
from vidrestore.errors import OutputError
from vidrestore.options import Options
from vidrestore.pipeline import restore_video
from vidrestore.review.files import ReviewFiles

COUNT, LENGTH = 14, 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("review")
    write(folder / "in.mp4", [face_frame(160, 120, "yuv420p", shift=2 * i) for i in range(COUNT)])
    save_weights(folder / "tiny.safetensors")
    return folder


def options(folder: Path, out: Path, **settings: Any) -> Options:
    given = {"weights": folder / "tiny.safetensors", "precision": "fp32", "min_face": 0, "max_sharpness": 0}
    report = None if out.name == "-" else out.with_suffix(".json")
    return Options(input=folder / "in.mp4", output=out, **given | {"report_json": report} | settings)


def told(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_tracks_file_that_is_gone_at_the_end_is_told_as_it_was(folder, tmp_path):
    tracks = tmp_path / "tracks.json"
    analyze_video(Options(input=folder / "in.mp4", output=tracks))
    tracks.write_text(tracks.read_text().replace('"name": null', '"name": "Ada"', 1))
    given = options(folder, tmp_path / "out.mkv", tracks=tracks)
    restore_video(given, lambda frames, faces: tracks.unlink(missing_ok=True))
    assert "Ada" in given.report_json.read_text()


def test_names_that_are_no_text_do_not_cost_the_report(folder, tmp_path):
    name = os.fsdecode(b"Fr\xe9d.mp4")
    try:
        shutil.copy(folder / "in.mp4", tmp_path / name)
    except OSError:
        pytest.skip("this file system has no such names")
    given = replace(options(folder, tmp_path / "out.mkv"), input=tmp_path / name, report=tmp_path / "r.html")
    restore_video(given)
    assert r"Fr\udce9d.mp4" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_run_that_is_resumed_tells_the_whole(folder, tmp_path):
    restore_video(options(folder, tmp_path / "whole.mkv"), segment_length=LENGTH)

    def stop(done: int, faces: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    cut = options(folder, tmp_path / "cut.mkv")
    with pytest.raises(KeyboardInterrupt):
        restore_video(cut, stop, segment_length=LENGTH)
    assert not cut.report_json.exists()
    assert restore_video(cut, segment_length=LENGTH).resumed == LENGTH
    whole, resumed = (told(tmp_path / f"{name}.json") for name in ("whole", "cut"))
    assert len(whole["record"]) == whole["frames"] == COUNT
    assert whole["record"][0]["faces"]
    for key in ("record", "shots", "tracks", "restored", "weights"):
        assert resumed[key] == whole[key], key
    assert resumed["times"]["resumed"] == LENGTH


def test_segments_of_an_earlier_run_bring_their_notes(folder, tmp_path):
    first = options(folder, tmp_path / "first.mkv", keep=tmp_path / "store")
    restore_video(first, segment_length=LENGTH)
    again = replace(first, output=tmp_path / "again.mkv", report_json=tmp_path / "again.json")
    assert restore_video(again, segment_length=LENGTH).resumed > 0
    assert told(again.report_json)["record"] == told(first.report_json)["record"]


def test_nothing_is_kept_if_nothing_is_asked_for(folder, tmp_path):
    with ReviewFiles(options(folder, tmp_path / "o.mkv", report_json=None)) as files:
        assert files.told is None
        files.write(origin=None, setup=None, licence=None, times={})
    assert list(tmp_path.iterdir()) == []


def test_output_to_a_pipe_is_told_too(folder, tmp_path, capfdbinary):
    report = tmp_path / "o.json"
    restore_video(options(folder, Path("-"), report_json=report, duration="0.2"))
    assert capfdbinary.readouterr().out
    assert len(told(report)["record"]) == 5


def test_a_report_that_cannot_be_written_costs_no_out(folder, tmp_path):
    reports = tmp_path / "reports"
    reports.mkdir()
    given = options(folder, tmp_path / "out.mkv", report_json=reports / "o.json", duration="0.1")
    with pytest.raises(OutputError) as caught:
        restore_video(given, lambda frames, faces: reports.exists() and reports.rmdir())
    assert caught.value.__notes__ == [f"{tmp_path / 'out.mkv'} is complete"]
    assert given.output.exists()


@pytest.mark.parametrize("taken", ["out.mkv", "in.mp4", "here.json", "missing/o.json"])
def test_a_place_that_cannot_be_used_is_refused_first(folder, tmp_path, taken):
    (tmp_path / "here.json").write_text("{}", encoding="utf-8")
    path = folder / taken if taken == "in.mp4" else tmp_path / taken
    with pytest.raises(OutputError):
        restore_video(options(folder, tmp_path / "out.mkv", report_json=path))
    assert {file.name for file in tmp_path.iterdir()} == {"here.json"}


def test_a_report_is_replaced_if_asked_for(folder, tmp_path):
    report = tmp_path / "o.json"
    report.write_text("{}", encoding="utf-8")
    given = options(folder, tmp_path / "o.mkv", report_json=report, overwrite=True, duration="0.1")
    restore_video(given)
    assert told(report)["frames"] == 3
