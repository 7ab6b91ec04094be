"""What the results of a batch are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from vidrestore.batch.inputs import Found
from vidrestore.batch.names import extension_for, name_results


def named(*paths: str, container: str | None = None, owned: dict[str, str] | None = None) -> list[str]:
    files = [Found(Path(path)) for path in paths]
    owned = {name: os.path.abspath(source) for name, source in (owned or {}).items()}
    return [str(name) for name in name_results(files, lambda p: extension_for(p, container), owned=owned)]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["x/a.mp4", "b.MOV", "c.avi"], ["a.mp4", "b.MOV", "c.mkv"]),
        (["a.avi", "a.mpg"], ["a.avi.mkv", "a.mpg.mkv"]),
        (["a.avi", "a.mkv"], ["a.avi.mkv", "a.mkv"]),
        (["x/a.mp4", "y/a.mp4", "z/a.mp4"], ["a.mp4", "a-2.mp4", "a-3.mp4"]),
        (["x/a.mp4", "y/A.MP4"], ["a.mp4", "A-2.MP4"]),
        (["x/a.mp4", "a-2.mp4", "y/a.mp4"], ["a.mp4", "a-2.mp4", "a-3.mp4"]),
        (["x/frame_%06d.png", "shots/%d.png"], ["frame.mkv", "shots.mkv"]),
        (
            ["no extension", ".mp4", "a.b.c.mp4", "-x.mp4"],
            ["no extension.mkv", ".mp4.mkv", "a.b.c.mp4", "-x.mp4"],
        ),
    ],
    ids=["kept", "collide", "one has it", "folders", "case", "number taken", "sequences", "odd"],
)
def test_names(paths, names):
    assert named(*paths) == names


def test_a_container_that_is_named_is_that_of_every_result():
    assert named("a.mov", "b.mp4", container="matroska") == ["a.mkv", "b.mkv"]
    assert named("a.mov", "a.mp4", container="matroska") == ["a.mov.mkv", "a.mp4.mkv"]


def test_the_tree_is_kept():
    files = [Found(Path("in/x/a.mp4"), Path("x")), Found(Path("in/y/a.mp4"), Path("y"))]
    assert name_results(files, lambda p: p.suffix, owned={}) == [Path("x/a.mp4"), Path("y/a.mp4")]


def test_an_input_keeps_the_name_that_its_result_has_whatever_comes_later():
    assert named("a.avi", "a.mpg", owned={"a.mkv": "a.avi"}) == ["a.mkv", "a.mpg.mkv"]
    assert named("x/a.mp4", "y/a.mp4", owned={"a.mp4": "y/a.mp4"}) == ["a-2.mp4", "a.mp4"]
    # The name that it would have in another container is not its name now.
    assert named("a.avi", container="mp4", owned={"a.mkv": "a.avi"}) == ["a.mp4"]


@pytest.mark.parametrize(
    ("name", "format", "moves", "extension"),
    [
        ("a.jpg", "JPEG", False, ".jpg"),
        ("a.JPEG", "JPEG", False, ".JPEG"),
        ("a.webp", "WEBP", False, ".webp"),
        ("a.gif", "GIF", False, ".png"),
        ("no ending", "PNG", False, ".png"),
        ("a.webp", "WEBP", True, ".mkv"),
        ("a.png", "PNG", True, ".mkv"),
    ],
)
def test_photos_stay_photos_and_animations_become_videos(tmp_path, name, format, moves, extension):
    picture = Image.new("RGB", (8, 8))
    others = [Image.new("RGB", (8, 8), "red")]
    picture.save(tmp_path / name, format, **({"save_all": True, "append_images": others} if moves else {}))
    assert extension_for(tmp_path / name, None) == extension
