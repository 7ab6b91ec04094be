"""Every command of docs/tasks.md is run."""

from __future__ import annotations

import shlex
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.support import photos, tiny
from tests.support.clips import decode, write
from tests.support.guides import commands
from tests.support.oracles import Colourist, Filler, install
from tests.support.runs import face_frame
from vidrestore.__main__ import main
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.weights.registry import REGISTRY

ROOT = Path(__file__).parents[1]
COMMANDS = commands("tasks.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    frames = decode(ROOT / "samples" / "archive.mp4")[:4]
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 25), 0
    write(folder / "archive.mp4", frames)
    mask = np.zeros((360, 480), np.uint8)
    mask[150:200, 200:220] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    masks = [face_frame(480, 360, "gray") for _ in frames]
    for frame in masks:
        plane_views(frame)[0][...] = mask
    write(folder / "mask.mkv", masks, codec="ffv1")
    Image.fromarray(photos.face(128)).convert("L").save(folder / "aligned.png")
    for name in ("codeformer_colorization", "codeformer_inpainting"):
        tiny.save_weights(folder / "cache" / REGISTRY[name].filename)
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_guide(folder, command, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("VIDRESTORE_CACHE", str(folder / "cache"))
    install(monkeypatch, Colourist() if "colour" in command else Filler(), folder)
    program, *arguments = shlex.split(command)
    assert program == "vidrestore"
    assert main(arguments) == 0
    out = Path(arguments[1])
    if "--dry-run" in arguments:
        assert "holes: what is found over faces" in capsys.readouterr().out
    elif out.suffix == ".png":
        with Image.open(out) as image:
            assert image.mode == "RGB"
    else:
        with av.open(str(out)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 4


def test_the_guide_has_commands():
    assert len(COMMANDS) >= 7
