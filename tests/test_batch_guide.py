"""The commands of docs/batch.md run as they are written."""

from __future__ import annotations

import shlex
import shutil
import signal
from pathlib import Path

import pytest
from PIL import Image

from tests.support.clips import pattern, write
from vidrestore.__main__ import main

GUIDE = Path(__file__).parents[1] / "docs" / "batch.md"
COMMANDS = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("vidrestore ")]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the inputs of the guide."""
    monkeypatch.chdir(tmp_path)
    for folder in ("holiday", "portraits", "tapes", "archive/1990", "incoming"):
        Path(folder).mkdir(parents=True)
    frames = [pattern(i, 64, 48, "yuv420p") for i in range(2)]
    for name in ("a.mp4", "b.mov", "tapes/t.avi"):
        write(tmp_path / name, frames, codec="mpeg4")
    for folder in ("holiday", "archive/1990", "incoming"):
        shutil.copy("a.mp4", folder)
    Image.new("RGB", (64, 48)).save("portraits/p.jpg")
    return tmp_path


def test_the_guide_has_commands():
    assert len(COMMANDS) == 6


@pytest.mark.parametrize("command", COMMANDS)
def test_command(work, monkeypatch, command):
    def wait(seconds: float) -> None:
        if list(Path("restored").glob("*.mp4")):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("vidrestore.restore_command.time.sleep", wait)
    words = shlex.split(command)[1:]
    if "portraits/*.jpg" in words:  # which the shell expands
        words[words.index("portraits/*.jpg")] = "portraits/p.jpg"
    assert main([*words, "--model", "lite"]) == (130 if "--watch" in words else 0)
    assert Path("restored").exists() == ("--dry-run" not in words)
