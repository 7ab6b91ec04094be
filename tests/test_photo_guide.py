"""Every command of docs/photos.md is run."""

from __future__ import annotations

import shlex
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.support import clips, photos, tiny, upscalers
from tests.support.guides import commands
from tests.support.runs import face_frame
from vidrestore.__main__ import main

COMMANDS = commands("photos.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    face = photos.face(160)
    photos.save(folder / "portrait.jpg", face)
    photos.save(folder / "group.jpg", np.hstack([face, face]))
    photos.save(folder / "aligned.png", photos.face(128))
    photos.save(folder / "old.jpg", face)
    clips.write(folder / "clip.mp4", [face_frame(160, 120, "yuv420p") for _ in range(6)])
    tiny.save_weights(folder / "tiny.safetensors")
    upscalers.save(upscalers.compact(), folder / "own.pth")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_guide(folder, command, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    program, *arguments = shlex.split(command)
    assert program == "vidrestore"
    out = Path(arguments[1])
    out.unlink(missing_ok=True)
    assert main([*arguments, "--weights", "tiny.safetensors"]) == 0
    if "--dry-run" in arguments:
        assert not out.exists()
        assert "would write" in capsys.readouterr().out
    elif out.suffix == ".mkv":
        with av.open(str(out)) as container:
            assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 240)
    else:
        with Image.open(out) as image:
            assert image.size[0] in (128, 160, 320, 640)


def test_the_guide_has_commands():
    assert len(COMMANDS) >= 9
