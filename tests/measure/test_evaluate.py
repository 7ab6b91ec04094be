"""tools/evaluate.py, end to end on two faces and a few frames."""

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
from vidrestore.measure.face_set import is_held_out
from vidrestore.measure.gate import RULES
from vidrestore.weights.store import fingerprint, locate

pytest.importorskip("dlib")

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("evaluate")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two aligned faces."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, face in aligned_portraits().items():
        cv2.imwrite(str(folder / f"{name}.png"), cv2.cvtColor(face, cv2.COLOR_RGB2BGR))
    return folder


def test_faces(tool: ModuleType, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, sheet = tmp_path / "out.json", tmp_path / "sheet.jpg"
    words = ["faces", "--faces", str(pictures), "--levels", "medium", "--w", "1", "--gate"]
    code = tool.main([*words, "--json", str(out), "--sheet", str(sheet)])
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
    # What was not measured is not passed.
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
    assert report["faces"] == {"frame": [0, 1, 2], "track": [1, 1, 1]}
    assert (same["psnr"], same["identity"]) == (100.0, 0.0)
    assert worse["psnr"] < 40
    assert worse["alex"] > 0.01
    assert worse["identity"] > 0.05
    assert "3 faces in 3 frames" in capsys.readouterr().out


def test_restored_clips(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = decode(SAMPLE)[:4]
    clean = write(tmp_path / "clean.mkv", frames, options={"qp": "0"})
    worse = write(tmp_path / "worse.mkv", frames, options={"crf": "40"})
    run = []

    def stand_in(words: list[str]) -> None:
        """The program, which with --w 0 gives back the clean clip and else what it was given."""
        if "--dry-run" not in words:
            run.append(words)
            shutil.copy(clean if "0" in words else words[0], words[1])

    monkeypatch.setattr(tool, "vidrestore", stand_in)
    out, sheet = tmp_path / "out.json", tmp_path / "sheet.png"
    words = ["restore", "--reference", str(clean), "--degraded", str(worse), str(clean), "-t", "0.12"]
    words += ["--settings", "free: --w 0", "true: --w 1", "--every", "2"]
    code = tool.main([*words, "--json", str(out), "--sheet", str(sheet), "--", "--model", "lite"])
    assert code == 0
    own = ["--model", "lite", "-t", "3/25", "--w"]
    assert [words[2:] for words in run] == 2 * [[*own, w, "-c:v", "ffv1"] for w in ("0", "1")]
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
    words = ["still", str(SAMPLE), "--levels", "heavy", "--frames", "8", "--every", "9", "--json", str(out)]
    settings = ["per-frame: --steady none", "full:"]
    assert tool.main([*words, "--settings", *settings, "--", "--model", "lite", "--w", "0.5"]) == 0
    (clip,) = json.loads(out.read_text())["clips"].values()
    static = {name: row["static"] for name, row in clip["settings"].items()}
    assert 0 < static["full"] < static["per-frame"]
    assert "portrait-heavy.mp4, 8 faces in 8 frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
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
    tool: ModuleType, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(["restore", "--reference", str(SAMPLE), "--degraded", str(SAMPLE), *words]) != 0
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.strip().splitlines()
    assert line.startswith("evaluate: ")
    assert sentence in line


def prepared(folder: Path, count: int) -> Path:
    """A folder as tools/prepare_faces.py writes it, of small faces that show their number."""
    np.save(
        folder / "faces.npy", np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 3), "u1")
    )
    rows = [f"photos/{i}.jpg,1.0" for i in range(count)]
    (folder / "faces.csv").write_text("\n".join(["name,enlarged", *rows]) + "\n")
    return folder


def test_a_prepared_folder_gives_its_validation_faces(tool: ModuleType, tmp_path: Path) -> None:
    wanted = [i for i in range(200) if is_held_out(f"photos/{i}.jpg")]
    faces = tool.load_faces(prepared(tmp_path, 200), None)
    assert [name for name, _ in faces] == [f"photos/{i}.jpg" for i in wanted]
    assert [int(face[0, 0, 0]) for _, face in faces] == wanted
    few = tool.load_faces(tmp_path, 3)
    assert [name for name, _ in few][::2] == [faces[0][0], faces[-1][0]]


@pytest.mark.parametrize(
    ("files", "words", "sentence"),
    [
        ({}, [], "holds neither faces.npy nor JPEG or PNG pictures"),
        ({"a.png": b"no picture"}, [], "a.png cannot be read as a picture"),
        ({"faces.npy": b"no array"}, [], "is not as tools/prepare_faces.py writes it"),
        (None, [], "is no folder"),
        ("pictures", ["--weights", "missing.pth"], "missing.pth does not exist"),
        ("pictures", ["--model", "lite", "--model", "lite"], "two models are called lite"),
        ("pictures", ["--device", "abacus"], "unknown device 'abacus'"),
        ("small", [], "small.png has 64 x 64 pixels, but lite restores aligned faces of 512 x 512"),
    ],
)
def test_one_sentence_for_what_is_wrong(
    tool: ModuleType,
    pictures: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    files: dict[str, bytes] | str | None,
    words: list[str],
    sentence: str,
) -> None:
    folder = pictures if files == "pictures" else tmp_path / ("faces" if files is not None else "missing")
    if files == "small":
        folder.mkdir()
        cv2.imwrite(str(folder / "small.png"), np.zeros((64, 64, 3), np.uint8))
    elif isinstance(files, dict):
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
    assert tool.main(["faces", "--faces", str(folder), *words]) != 0
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert error[0].startswith("evaluate: ")
    assert sentence in error[0]


@pytest.mark.parametrize(
    "words", [["--w", "2"], ["--count", "0"], ["--levels", "gentle"], ["--w", "much"], ["--model", "magic"]]
)
def test_words_that_cannot_be(tool: ModuleType, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        tool.main(["faces", "--faces", "anywhere", *words])
    assert stopped.value.code == 2
    assert words[0] in capsys.readouterr().err
