"""The README shows its picture and its animation, which are small; the tool cuts before and after alike."""

from __future__ import annotations

import io
import re
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.support.tools import load_tool


@pytest.fixture(scope="module")
def tool():
    return load_tool("make_readme_pictures")


def test_the_readme_shows_them(tool):
    readme = (tool.ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r'<img src="docs/pictures/(.*?)" width="\d+" alt=".+?">', readme)
    assert shown == [tool.ANIMATION, tool.PICTURE]


def test_they_are_small(tool):
    picture, animation = tool.FOLDER / tool.PICTURE, tool.FOLDER / tool.ANIMATION
    assert picture.stat().st_size <= tool.PICTURE_BYTES
    assert animation.stat().st_size <= tool.ANIMATION_BYTES
    with Image.open(animation) as image:
        assert image.n_frames == 36  # 1.5 seconds of 24 frames each
        assert image.width == 2 * tool.WIDE + tool.GAP
    with Image.open(picture) as image:
        assert image.width == 4 * tool.SIDE + 3 * tool.GAP


def test_every_picture_of_the_docs_is_shown_somewhere(tool):
    pages = [tool.ROOT / "README.md", *(tool.ROOT / "docs").glob("*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    for path in tool.FOLDER.iterdir():
        assert re.search(rf'pictures/{re.escape(path.name)}[)"]', text), path.name


def test_before_and_after_are_the_same_moments(tool, monkeypatch):
    def restored_frames(sample, *, model, start, duration):
        assert (sample.name, model) == ("portrait.mp4", "lite")
        picture = np.full((360, 640, 3), 7, np.uint8)
        for time in (Fraction(1, 24), Fraction(2, 24)):
            yield SimpleNamespace(time=time, to_rgb=lambda: picture)

    monkeypatch.setattr(tool.vidrestore, "restored_frames", restored_frames)
    pairs = tool.before_and_after(tool.MOVING)
    assert len(pairs) == 2
    for before, after in pairs:
        assert before.shape == after.shape == (200, 230, 3)
        assert before.std() > 10
        assert (after == 7).all()
    assert (pairs[0][0] != pairs[1][0]).any()


def test_faces_are_enlarged_alike(tool):
    face = np.full((30, 40, 3), 200, np.uint8)
    drawn = tool.labelled([face, face], ["before", "after"], 80)
    assert drawn.shape == (60 + tool.LINE, 160 + tool.GAP, 3)
    assert (drawn[:60, :80] == 200).all()
    assert (drawn[:60, -80:] == 200).all()
    assert (drawn[60:] < 100).any()


def test_an_animation_plays_at_the_speed_of_its_clip(tool):
    noise = np.random.default_rng(0).integers(0, 256, (3, 60, 80, 3), np.uint8)
    with Image.open(io.BytesIO(tool.animated_webp(list(noise), 41.7))) as image:
        assert image.n_frames == 3
        image.seek(1)
        image.load()
        assert image.info["duration"] == 42


def test_what_cannot_be_small_is_refused(tool, monkeypatch):
    monkeypatch.setattr(tool, "PICTURE_BYTES", 100)
    with pytest.raises(SystemExit, match="too large"):
        tool.jpeg(np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8))
