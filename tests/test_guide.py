"""Every command of docs/guide.md is run, in its order."""

from __future__ import annotations

import shlex
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.support import tiny
from tests.support.clips import decode, write
from tests.support.guides import commands
from vidrestore.__main__ import main

ROOT = Path(__file__).parents[1]
FRAMES = 3
COMMANDS = commands("guide.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A few frames of the samples, and the weights of a tiny model."""
    folder = tmp_path_factory.mktemp("guide")
    for name in ("portrait.mp4", "archive.mp4", "scenes.mkv"):
        # The last shot of scenes.mkv has both persons.
        part = slice(-FRAMES, None) if name == "scenes.mkv" else slice(FRAMES)
        frames = decode(ROOT / "samples" / name)[part]
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 25), 0
        write(folder / name, frames)
    tiny.save_weights(folder / "tiny.safetensors")
    return folder


def test_every_command(folder, monkeypatch, capsys):
    assert len(COMMANDS) >= 10
    monkeypatch.chdir(folder)
    for command in COMMANDS:
        program, *words = shlex.split(command)
        assert program == "vidrestore"
        job = words[0] if words[0] in ("preview", "analyze") else "restore"
        assert main([*words, *([] if job == "analyze" else ["--weights", "tiny.safetensors"])]) == 0, command
        said = capsys.readouterr()
        assert "no faces" not in said.err
        if "--dry-run" in words:
            assert "would write" in said.out
        elif job == "restore":
            with av.open(words[1]) as out:
                assert sum(1 for _ in out.decode(video=0)) == FRAMES
    assert {"report.html", "film.html"} <= {path.name for path in folder.iterdir()}
    with av.open("compare.mp4") as compared:
        assert sum(1 for _ in compared.decode(video=0)) == FRAMES
    with Image.open("sheet.png") as sheet:
        assert sheet.width > 3 * 256
