"""``tools/evaluate.py``, end to end on two faces and a few frames."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from tests.support.clips import decode, write
from tests.support.portraits import aligned_portraits
from tests.support.tools import load_tool
from vidrestore import __version__
from vidrestore.measure.gate import RULES
from vidrestore.weights.store import fingerprint, locate

pytest.importorskip("dlib")

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("evaluate")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two aligned faces."""
    folder = tmp_path_factory.mktemp("images")
    for name, face in aligned_portraits().items():
        cv2.imwrite(str(folder / f"{name}.png"), cv2.cvtColor(face, cv2.COLOR_RGB2BGR))
    return folder


def test_faces(tool: ModuleType, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, sheet = tmp_path / "out.json", tmp_path / "sheet.jpg"
    args = ["faces", "--faces", str(images), "--levels", "medium", "--w", "1", "--gate", "--groups"]
    code = tool.main([*args, "--json", str(out), "--sheet", str(sheet)])
    printed = capsys.readouterr().out
    report = json.loads(out.read_text())
    methods = report["levels"]["medium"]
    assert list(methods) == ["input", "bicubic", "nlm + unsharp", "lite w=1"]
    assert report["version"] == __version__
    assert report["models"][0]["sha256"] == fingerprint(locate("lite"))
    assert report["models"][0]["precision"] in ("fp32", "bf16")
    assert report["faces"]["names"] == ["collins.png", "hopper.png"]
    for name, row in methods.items():
        assert name in printed
        for figure, values in row["per_face"].items():
            assert len(values) == 2
            assert row[figure] == pytest.approx(np.mean(values))
        assert 15 < row["psnr"] < 40
        assert 0 < row["identity_median"] < 0.6
        assert row["frechet"] > 0
    all_faces, *others = report["groups"]["lite"]["medium"]
    assert (all_faces["group"], all_faces["faces"]) == ("set -", 2)
    for name, method in (("input", "input"), ("w=1", "lite w=1")):
        assert all_faces[f"{name},vgg"] == pytest.approx(methods[method]["vgg"])
    assert {row["group"].split()[0] for row in others} == {"pose", "skin"}
    assert "w=1,identity" in printed
    # A rule without a measurement does not pass.
    verdicts = report["gate"]["lite"]
    assert len(verdicts) == len(RULES)
    assert {v["passed"] for v in verdicts if "medium" not in v["what"] or "0.5" in v["what"]} == {None}
    assert {v["passed"] for v in verdicts if "w=1 medium" in v["what"]} <= {True, False}
    assert code == tool.GATE_MISSED
    assert "w=1 medium: PSNR above that of input" in printed
    assert sheet.stat().st_size < 2 * tool.ROW_BYTES


def test_clips(tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = decode(SAMPLE)[:3]
    write(tmp_path / "clean.mkv", frames, options={"qp": "0"})
    write(tmp_path / "worse.mkv", frames, options={"crf": "45"})
    clips = [str(tmp_path / name) for name in ("clean.mkv", "worse.mkv")]
    out = tmp_path / "out.json"
    assert tool.main(["clips", "--reference", clips[0], *clips, "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    same, worse = (report["clips"][clip] for clip in clips)
    assert report["faces"] == {"frame": [0, 1, 2], "track": [1, 1, 1], "measured": [0, 1, 2]}
    assert (same["psnr"], same["identity"]) == (100.0, 0.0)
    assert worse["psnr"] < 40
    assert worse["alex"] > 0.01
    assert worse["identity"] > 0.05
    assert "3 faces in 3 frames" in capsys.readouterr().out


@pytest.mark.slow
def test_restored_clips(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = decode(SAMPLE)[:4]
    clean = write(tmp_path / "clean.mkv", frames, options={"qp": "0"})
    worse = write(tmp_path / "worse.mkv", frames, options={"crf": "40"})
    calls = []

    def stub(args: list[str]) -> None:
        """A stub of the program: with ``--w 0`` it returns the clean clip, otherwise its input."""
        if "--dry-run" not in args:
            calls.append(args)
            shutil.copy(clean if "0" in args else args[0], args[1])

    monkeypatch.setattr(tool, "vidrestore", stub)
    out, sheet = tmp_path / "out.json", tmp_path / "sheet.png"
    args = ["restore", "--reference", str(clean), "--degraded", str(worse), str(clean), "-t", "0.12"]
    args += ["--settings", "free: --w 0", "true: --w 1", "--every", "2"]
    code = tool.main([*args, "--json", str(out), "--sheet", str(sheet), "--", "--model", "lite"])
    assert code == 0
    own = ["--model", "lite", "-t", "3/25", "--w"]
    assert [args[2:] for args in calls] == 2 * [[*own, w, "-c:v", "ffv1"] for w in ("0", "1")]
    report = json.loads(out.read_text())
    for clip in (worse, clean):
        measured = report["clips"][str(clip)]
        assert measured["faces"]["frame"] == [0, 1, 2]
        assert list(measured["settings"]) == ["input", "free", "true"]
        for row in measured["settings"].values():
            assert {"psnr", "ms_ssim", "vgg", "warping", "flicker", "jitter", "mouth", "eyes"} <= set(row)
            assert len(row["per_face"]["psnr"]) == len(row["per_face"]["warping"]) == 2
    rows = report["clips"][str(worse)]["settings"]
    assert rows["free"]["psnr"] == rows["free"]["face_psnr"] == pytest.approx(100)
    assert rows["true"] == rows["input"]
    assert rows["input"]["face_psnr"] < 40
    for name in ("input", "free", "true"):
        pair = [report["clips"][str(clip)]["settings"][name]["vgg"] for clip in (worse, clean)]
        assert report["mean"][name]["vgg"] == pytest.approx(np.mean(pair))
    printed = capsys.readouterr().out
    assert "worse.mkv, 3 faces in 3 frames" in printed
    assert "mean of 2 clips" in printed
    assert cv2.imread(str(sheet)).shape[1] == 4 * 258


@pytest.mark.slow
def test_a_still_scene(tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    args = ["still", str(SAMPLE), "--levels", "heavy", "--frames", "8", "--every", "9", "--json", str(out)]
    settings = ["per-frame: --steady none", "full:"]
    assert tool.main([*args, "--settings", *settings, "--", "--model", "lite", "--w", "0.5"]) == 0
    (clip,) = json.loads(out.read_text())["clips"].values()
    rows = clip["settings"]
    assert 0 < rows["full"]["static"] < rows["per-frame"]["static"]
    assert 0 < rows["full"]["codes"] < rows["per-frame"]["codes"] < 100
    assert "codes" not in rows["input"]
    assert "portrait-heavy.mp4, 8 faces in 8 frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--settings", "bad: --w 7"], "--w must be between 0 and 1"),
        (["--settings", "bad: --colour"], "--colour"),
        (["--settings", "nameless"], "has no name"),
        (["--", "--model", "magic"], "--model"),
        (["--reference", str(SAMPLE)], "a --reference for each"),
        (["--degraded", "missing.mp4", "--reference", str(SAMPLE)], "missing.mp4 does not exist"),
    ],
)
def test_settings_are_checked_before_any_work(
    tool: ModuleType, args: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(["restore", "--reference", str(SAMPLE), "--degraded", str(SAMPLE), *args]) != 0
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.strip().splitlines()
    assert line.startswith("evaluate: ")
    assert message in line


@pytest.mark.parametrize(
    ("files", "args", "message"),
    [
        ({}, [], "contains neither faces.npy nor JPEG or PNG files"),
        ({"a.png": b"no image"}, [], "a.png cannot be read as an image"),
        ({"faces.npy": b"no array"}, [], "is not as tools/prepare_faces.py writes it"),
        (None, [], "is not a folder"),
        ("images", ["--weights", "missing.pth"], "missing.pth does not exist"),
        ("images", ["--model", "lite", "--model", "lite"], "two models are named lite"),
        ("images", ["--device", "abacus"], "unknown device 'abacus'"),
        ("small", [], "small.png has 64 x 64 pixels, but lite restores aligned faces of 512 x 512"),
    ],
)
def test_one_message_for_what_is_wrong(
    tool: ModuleType,
    images: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    files: dict[str, bytes] | str | None,
    args: list[str],
    message: str,
) -> None:
    folder = images if files == "images" else tmp_path / ("faces" if files is not None else "missing")
    if files == "small":
        folder.mkdir()
        cv2.imwrite(str(folder / "small.png"), np.zeros((64, 64, 3), np.uint8))
    elif isinstance(files, dict):
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
    assert tool.main(["faces", "--faces", str(folder), *args]) != 0
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert error[0].startswith("evaluate: ")
    assert message in error[0]


@pytest.mark.parametrize(
    "args", [["--w", "2"], ["--count", "0"], ["--levels", "gentle"], ["--w", "much"], ["--model", "magic"]]
)
def test_invalid_arguments(tool: ModuleType, args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        tool.main(["faces", "--faces", "anywhere", *args])
    assert stopped.value.code == 2
    assert args[0] in capsys.readouterr().err
