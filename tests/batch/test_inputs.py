"""Which files a batch restores."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.platforms import posix
from vidrestore.batch.inputs import check_names, find_inputs, is_batch
from vidrestore.errors import UsageError

TREE = ["a.mp4", "B.MKV", "photo.jpg", "text.txt", ".hidden.mp4", "sub/c.mov", "sub/deep/d.mp4", "sub/x.srt"]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder ``in`` in the working folder."""
    for name in TREE:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*names: str, out: str = "out", recursive: bool = False) -> list[tuple[str, str]]:
    files = find_inputs(names, Path(out), recursive=recursive).files
    return [(file.path.as_posix(), file.folder.as_posix()) for file in files]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["in"], ["in/B.MKV", "in/a.mp4", "in/photo.jpg"]),
        (["in/photo.jpg", "in"], ["in/photo.jpg", "in/B.MKV", "in/a.mp4"]),
        (["in/a.mp4", "./in/a.mp4"], ["in/a.mp4"]),
        (["in/text.txt", "in/.hidden.mp4"], ["in/text.txt", "in/.hidden.mp4"]),
        (["in/*.mp4"], ["in/a.mp4"]),
        (["in/**/*.m*"], ["in/a.mp4", "in/sub/c.mov", "in/sub/deep/d.mp4"]),
        (["gone.mp4"], ["gone.mp4"]),
    ],
    ids=[
        "a folder",
        "a file first",
        "the same twice",
        "whatever is named",
        "a pattern",
        "**",
        "a missing file",
    ],
)
def test_names_and_what_they_stand_for(tree, names, expected):
    assert [path for path, _ in found(*names)] == expected


def test_recursive_keeps_the_tree(tree):
    assert found("in", recursive=True)[3:] == [("in/sub/c.mov", "sub"), ("in/sub/deep/d.mp4", "sub/deep")]


def test_what_is_left_out_is_counted(tree):
    flat, deep = (find_inputs(["in"], Path("out"), recursive=recursive) for recursive in (False, True))
    assert (flat.others, flat.folders) == (1, 1)
    assert (deep.others, deep.folders) == (2, 0)


def test_a_name_with_the_signs_of_a_pattern_is_a_name_where_such_a_file_exists(tree):
    Path("in/take[1].mp4").write_bytes(b"x")
    assert found("in/take[1].mp4") == [("in/take[1].mp4", ".")]


def test_a_pattern_without_a_match_is_a_problem(tree):
    inputs = find_inputs(["*.mp4", "in"], Path("out"), recursive=False)
    assert inputs.problems == [("*.mp4", "no file matches this pattern")]
    assert len(inputs.files) == 3


def test_a_pattern_in_a_folder_with_brackets(tree):
    (tree / "show [2020]").mkdir()
    (tree / "show [2020]" / "a.mp4").write_bytes(b"x")
    assert found("show [2020]/*.mp4") == [("show [2020]/a.mp4", ".")]


@pytest.mark.parametrize("names", [("*",), ("in", "out"), ("out/", "in")])
def test_the_folder_of_the_results_is_left_out_where_a_shell_names_it(tree, names):
    """As it does of * when the command is repeated."""
    (tree / "out").mkdir()
    (tree / "out" / "z.mp4").write_bytes(b"x")
    check_names(names, "out")
    assert "z.mp4" not in {file.path.name for file in find_inputs(names, Path("out"), recursive=True).files}


def test_the_folder_of_the_results_is_not_entered(tree):
    (tree / "in" / "sub" / "out").mkdir()
    (tree / "in" / "sub" / "out" / "a.mp4").write_bytes(b"x")
    assert len(found("in", out="in/sub/out", recursive=True)) == 5
    assert len(found("in", out="in/sub/./out", recursive=True)) == 5


def test_links_to_folders_are_not_followed_and_links_to_files_are(tree):
    (tree / "in" / "circle").symlink_to(tree / "in")
    (tree / "in" / "linked.mp4").symlink_to(tree / "in" / "a.mp4")
    (tree / "in" / "broken.mp4").symlink_to(tree / "nowhere.mp4")
    inputs = find_inputs(["in"], Path("out"), recursive=True)
    assert {"linked.mp4", "broken.mp4"} <= {file.path.name for file in inputs.files}
    assert len(inputs.files) == 7
    assert inputs.folders == 1
    (tree / "link").symlink_to(tree / "in")
    assert len(found("link")) == 5  # one that is named is followed


@posix
def test_a_pipe_in_a_folder_is_no_video(tree):
    os.mkfifo(tree / "in" / "pipe.mp4")
    assert find_inputs(["in"], Path("out"), recursive=False).others == 2


def test_a_folder_that_cannot_be_read_is_a_problem(tree, monkeypatch):
    real = os.scandir

    def scandir(path):
        if Path(path).name == "sub":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    inputs = find_inputs(["in"], Path("out"), recursive=True)
    assert inputs.problems == [("in/sub", "the folder cannot be read: Permission denied")]
    assert len(inputs.files) == 3


@pytest.mark.parametrize(
    ("names", "out", "expected"),
    [
        (["a.mp4"], "b.mp4", False),
        (["-"], "-", False),
        (["frame_%03d.png"], "b.mp4", False),
        (["a.mp4"], "b/", True),
        (["a.mp4"], "in", True),
        (["a.mp4", "b.mp4"], "c", True),
        (["in"], "out", True),
        (["*.mp4"], "out", True),
    ],
)
def test_what_is_a_batch(tree, names, out, expected):
    assert is_batch(names, out) == expected


@pytest.mark.parametrize(
    ("names", "out", "words"),
    [
        (["a.mp4", "b.mp4"], "c.mp4", "there are several inputs, so OUT must be a folder"),
        (["in"], "c.mp4", "in is a folder, so OUT must be a folder"),
        (["a.mp4", "b.mp4"], "in/a.mp4", "in/a.mp4 is not a folder"),
        (["in"], "in/../in", "is the folder of the inputs"),
        (["a.mp4", "b.mp4"], "-", "cannot go to standard output"),
        (["-", "b.mp4"], "out", "standard input cannot be one of several"),
    ],
)
def test_names_that_make_no_sense_together(tree, names, out, words):
    with pytest.raises(UsageError, match=words):
        check_names(names, out)


def test_names_that_do(tree):
    for names, out in ((["a.mp4", "b.mp4"], "c"), (["in"], "c.mp4/"), (["in/a.mp4"], "in")):
        check_names(names, out)
