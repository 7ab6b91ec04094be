"""The pictures of docs/adjust.md are there, and small, and its commands draw them."""

from __future__ import annotations

import re

import cv2
import numpy as np

from tests.support.tools import load_tool


def test_the_page_shows_each_picture() -> None:
    tool = load_tool("make_pictures")
    shown = re.findall(r"!\[.+?\]\(pictures/(.*?)\)", tool.PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert sorted(shown) == sorted(tool.PICTURES)
    for path in (tool.FOLDER / name for name in tool.PICTURES):
        assert path.stat().st_size <= tool.BYTES
        assert cv2.imread(str(path)).shape[1] <= tool.WIDTH


def test_the_pages_commands_draw_them() -> None:
    tool = load_tool("make_pictures")
    words = [word for command in tool.commands() for word in command]
    assert set(tool.PICTURES.values()) <= set(words)
    assert {command[0] for command in tool.commands()} == {"vidrestore"}


def test_a_large_picture_is_made_small() -> None:
    tool = load_tool("make_pictures")
    noise = np.random.default_rng(0).integers(0, 256, (700, 2000, 3), np.uint8)
    found = tool.small_jpeg(noise)
    assert len(found) <= tool.BYTES
    assert cv2.imdecode(np.frombuffer(found, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (315, 900)


def test_what_is_empty_is_cut_off() -> None:
    tool = load_tool("make_pictures")
    sheet = np.full((50, 300, 3), 250, np.uint8)
    sheet[10:40, 10:100] = 90
    found = cv2.imdecode(np.frombuffer(tool.small_jpeg(sheet), np.uint8), cv2.IMREAD_COLOR)
    assert found.shape[:2] == (50, 110)
