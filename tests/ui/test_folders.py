"""Folders that were opened."""

from __future__ import annotations

import pytest

from vidrestore.ui.folders import Folders
from vidrestore.ui.uploads import RefusedError


@pytest.fixture
def tree(tmp_path):
    for name in ("open/b/film.mkv", "open/a.mp4", "open/.hidden", "secret/x.mp4", "open2/x.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "open" / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "open" / "out.mp4").symlink_to(tmp_path / "secret" / "x.mp4")
    (tmp_path / "open" / "loop").symlink_to(tmp_path / "open" / "loop")
    (tmp_path / "open" / "inner.mp4").symlink_to(tmp_path / "open" / "a.mp4")
    return tmp_path


def test_a_folder_is_listed_without_what_leads_out(tree):
    found = Folders([tree / "open"]).listing(0, "")
    names = [(entry["name"], entry["folder"]) for entry in found["entries"]]
    assert names == [("a.mp4", False), ("b", True), ("inner.mp4", False)]
    assert Folders([tree / "open"]).listing(0, "b")["entries"] == [
        {"name": "film.mkv", "folder": False, "size": 1}
    ]


def test_a_file_in_it_is_found(tree):
    folders = Folders([tree / "open", tree / "secret"])
    assert folders.names == ["open", "secret"]
    assert folders.resolve(0, "b/film.mkv") == tree / "open/b/film.mkv"
    assert folders.resolve(0, "b/../a.mp4") == tree / "open/a.mp4"
    assert folders.resolve(1, "x.mp4") == tree / "secret/x.mp4"


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (0, "../secret/x.mp4"),
        (0, "b/../../secret/x.mp4"),
        (0, "../open2/x.mp4"),
        (0, "/etc/passwd"),
        (0, "out/x.mp4"),
        (0, "out.mp4"),
        (0, "loop"),
        (0, ".hidden"),
        (0, "a.mp4\0.png"),
        (0, "nothing"),
        (1, "x.mp4"),
        (-1, "x.mp4"),
    ],
)
def test_nothing_outside_of_it_is_reached(tree, number, path):
    with pytest.raises(RefusedError, match="no such file"):
        Folders([tree / "open"]).resolve(number, path)


def test_a_device_is_no_file(tree):
    (tree / "open" / "null").symlink_to("/dev/null")
    with pytest.raises(RefusedError):
        Folders([tree / "open"]).resolve(0, "null")
