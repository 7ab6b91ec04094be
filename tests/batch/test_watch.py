"""Files that arrive in a folder."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from vidrestore.batch.watch import arrivals, is_written


def looked(folder: Path, steps: list) -> list[tuple[int, str]]:
    """The names that arrive, and at which look; ``steps`` are called after the looks."""
    arrived, looks = [], 0

    def wait(seconds: float) -> None:
        nonlocal looks
        if looks == len(steps):
            raise KeyboardInterrupt
        if steps[looks]:
            steps[looks]()
        looks += 1

    with suppress(KeyboardInterrupt):
        for files in arrivals(folder, folder / "out", recursive=True, wait=wait):
            arrived += [(looks + 1, file.path.name) for file in files]
    return arrived


def write(path: Path, content: bytes = b"film"):
    return lambda: path.write_bytes(content)


def test_a_file_counts_once_it_has_stopped_growing(tmp_path):
    path = tmp_path / "a.mp4"
    steps = [write(path), write(path, b"film, longer"), None, None, None, None]
    assert looked(tmp_path, steps) == [(5, "a.mp4")]


def test_what_is_there_already_counts_and_an_empty_file_does_not(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"film")
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.mp4").write_bytes(b"film")
    assert looked(tmp_path, [None] * 5) == [(3, "a.mp4")]


def test_a_file_that_changes_later_arrives_again_and_one_that_goes_is_forgotten(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"film")
    again = [None, None, write(path, b"another film"), None, None, None]
    assert looked(tmp_path, again) == [(3, "a.mp4"), (6, "a.mp4")]
    assert looked(tmp_path, [None, path.unlink, None, None]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
def test_a_file_that_is_open_for_writing_is_not_complete(tmp_path):
    path = tmp_path / "a.mp4"
    file = path.open("wb")
    file.write(b"film")
    file.flush()
    assert is_written(path)
    assert looked(tmp_path, [None, None, None, None, file.close, None]) == [(6, "a.mp4")]
    assert not is_written(path)
    with path.open("rb"):
        assert not is_written(path)
    assert not is_written(tmp_path / "gone.mp4")


def test_a_folder_that_is_gone_for_a_while_is_looked_at_again(tmp_path):
    folder = tmp_path / "in"

    def come_back() -> None:
        folder.mkdir()
        (folder / "a.mp4").write_bytes(b"film")

    assert looked(folder, [None, come_back, None, None, None]) == [(5, "a.mp4")]
