"""``tools/degrade.py``: the default output, repeatability, and errors."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.support.clips import decode, pattern, write
from tests.support.tools import load_tool

PORTRAIT = Path(__file__).parents[2] / "samples" / "portrait.mp4"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("degrade")


@pytest.fixture
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames, in another folder."""
    frames = [pattern(i, 160, 96, "yuv420p") for i in range(10)]
    return write(tmp_path_factory.mktemp("clips") / "clip.mkv", frames)


def test_the_default_output_is_named_after_the_level(
    tool, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tool.main([str(clip), "--level", "heavy"]) == 0
    assert len(decode(tmp_path / "clip_heavy.mp4")) == 10
    assert capsys.readouterr().out == "clip_heavy.mp4: 10 frames, heavy, seed 1\n"


def test_the_seed_and_the_level_change_the_file(tool, clip: Path, tmp_path: Path) -> None:
    files = []
    for args in (["--seed", "5"], ["--seed", "5"], ["--seed", "6"], ["--seed", "5", "--level", "mild"]):
        assert tool.main([str(clip), str(tmp_path / "out.mp4"), "-y", *args]) == 0
        files.append((tmp_path / "out.mp4").read_bytes())
    assert files[0] == files[1]
    assert len(set(files)) == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: [folder / "none.mp4"], "does not exist"),
        (lambda folder: [folder / "text.mp4"], "cannot be read as a video"),
        (lambda folder: [PORTRAIT, folder / "text.mp4"], "exists; give -y"),
        (lambda folder: [PORTRAIT, folder / "out.gif"], "does not have the extension of a container"),
        (lambda folder: [PORTRAIT, folder / "out.mp4", "--seed", "-1"], "--seed -1 is negative"),
    ],
    ids=["missing", "no video", "out exists", "no container", "seed"],
)
def test_an_error_is_one_sentence(tool, make, message: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("no video, " * 100)
    assert tool.main([str(arg) for arg in make(tmp_path)]) != 0
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["text.mp4"]


def test_an_existing_output_is_replaced_with_y(tool, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("old")
    assert tool.main([str(clip), str(out), "-y"]) == 0
    assert len(decode(out)) == 10
