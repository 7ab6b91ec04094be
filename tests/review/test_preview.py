"""``vidrestore preview``: the command, what it writes and what it refuses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support import reader
from tests.support.drifting import drifting_face, quick_options
from vidrestore.__main__ import main
from vidrestore.analysis import analyze_video


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("preview")
    drifting_face(folder, 12)
    analyze_video(quick_options(folder, output=folder / "tracks.json"))
    return folder


def preview(folder: Path, *words: str) -> int:
    quick = ["--weights", str(folder / "tiny.safetensors"), "--min-face", "0", "--max-sharpness", "0"]
    return main(["preview", str(folder / "in.mp4"), "--tracks", str(folder / "tracks.json"), *quick, *words])


def test_a_sheet(folder, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert preview(folder, "-o", str(out), "--at", "0.2", "--w", "0,0.5") == 0
    assert f"{out}: 1 moments in " in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
    height, width = cv2.imread(str(out)).shape[:2]
    assert 3 * 256 < width < 4 * 256
    assert 256 < height < 2 * 256
    assert preview(folder, "-o", str(out), "--at", "0.2", "--w", "0", "-y", "-q") == 0
    assert cv2.imread(str(out)).shape[1] < 3 * 256
    assert capsys.readouterr().err == ""


def test_a_video(folder, tmp_path, capsys):
    out = tmp_path / "worst.mkv"
    assert preview(folder, "-o", str(out), "--worst", "1", "--w", "0.3", "-c:v", "ffv1") == 0
    said = capsys.readouterr().err
    assert f"{out}: 1 moments in " in said
    assert "the whole video would take about " in said
    assert len(reader.frames(out)) == 6  # a quarter of a second: the video is short
    assert "320x" in reader.describe(out)


def test_a_sheet_of_a_task_has_one_result(folder, tmp_path, capsys):
    hole = np.zeros((160, 160), np.uint8)
    hole[60:90, 60:110] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), hole)
    out, words = tmp_path / "sheet.png", ["--task", "inpaint", "--mask", str(tmp_path / "mask.png")]
    assert preview(folder, "-o", str(out), "--at", "0.2", *words) == 0
    width = cv2.imread(str(out)).shape[1]
    assert 2 * 256 < width < 3 * 256
    capsys.readouterr()
    assert preview(folder, "-o", str(out), "--at", "0.2", *words, "--w", "0.5", "-y") == 2
    assert "--task inpaint has a fidelity weight of its own" in capsys.readouterr().err
    assert preview(folder, "-o", str(out), "--at", "0.2", *words[:2], "--mask", "none.png", "-y") == 1
    assert "the mask none.png does not exist" in capsys.readouterr().err


def test_enlarged(folder, tmp_path):
    """The sheet shows faces of both sizes, the video the input enlarged beside the result."""
    out, sheet = tmp_path / "worst.mkv", tmp_path / "sheet.png"
    assert preview(folder, "-o", str(out), "--at", "0.2", "--upscale", "2", "-c:v", "ffv1") == 0
    assert "640x" in reader.describe(out)
    assert preview(folder, "-o", str(sheet), "--at", "0.2", "--upscale", "2", "--w", "1") == 0
    picture = cv2.imread(str(sheet)).astype(float)
    cells = [picture[60:316, left : left + 256] for left in (10, 272)]
    assert np.abs(cells[0] - cells[1]).mean() < 20  # the same place of the picture


BAD = {
    "no output": ([], 2, "required: -o/--output"),
    "no time": (["-o", "s.png", "--at", "noon"], 2, "'noon' is not a time; give seconds, or H:MM:SS.s"),
    "after the end": (["-o", "s.png", "--at", "9"], 2, "--at 9 is after the end of in.mp4"),
    "no weight": (["-o", "s.png", "--w", "0,2"], 2, "'0,2' is not 1 to 9 numbers between 0 and 1"),
    "no number": (["-o", "s.png", "--worst", "0"], 2, "'0' is not a number from 1 to 100"),
    "several weights": (["-o", "s.mp4", "--w", "0,1"], 2, "a video shows one --w"),
    "no file": (["-o", "-"], 1, "standard output is a pipe or a device; name a file"),
    "neither picture nor video": (["-o", "s.txt"], 2, "does not have the extension of a container"),
    "it exists": (["-o", "mine.png"], 1, "mine.png exists; give -y to replace it"),
    "it is the input": (["-o", "in.mp4", "-y"], 1, "in.mp4 is the input itself"),
    "an option of encoding": (["-o", "s.png", "--strict"], 2, "unrecognized arguments"),
}


def test_ids_of_tracks_need_a_tracks_file(folder, tmp_path, capsys):
    words = ["preview", str(folder / "in.mp4"), "-o", str(tmp_path / "s.png"), "--track-w", "1=0.5"]
    assert main(words) == 2
    assert "--track-w needs --tracks in a preview" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "code", "said"), BAD.values(), ids=BAD)
def test_what_is_refused_is_one_sentence(folder, tmp_path, monkeypatch, capsys, words, code, said):
    for name in ("in.mp4", "tracks.json", "tiny.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "mine.png").write_bytes(b"mine")
    monkeypatch.chdir(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert preview(Path(), *words) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("error: ") == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
