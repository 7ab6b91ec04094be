"""Standard input and named pipes are copied to a file for as long as a run takes."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from tests.support import reader
from tests.support.frames import LOSSLESS, clip, pass_through
from tests.support.platforms import posix
from vidrestore.errors import InputError, UsageError
from vidrestore.media.decode.pipe_input import local_input


class StandardInput:
    """A stand-in for standard input."""

    def __init__(self, data: bytes, *, terminal: bool = False) -> None:
        self.buffer, self._terminal = io.BytesIO(data), terminal

    def isatty(self) -> bool:
        return self._terminal


def test_standard_input_is_copied_to_a_file_beside_the_output(tmp_path, monkeypatch):
    """An MP4 with its index at the end cannot be read from a pipe directly."""
    source = clip(tmp_path / "in.mp4")
    monkeypatch.setattr("sys.stdin", StandardInput(source.read_bytes()))
    (tmp_path / "outs").mkdir()
    out = tmp_path / "outs" / "out.mkv"
    with local_input(Path("-"), out) as path:
        assert path.name == "standard input"
        assert path.parent.parent == out.parent
        pass_through(path, out, LOSSLESS)
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]
    assert list(out.parent.iterdir()) == [out]


@posix
def test_a_named_pipe_is_copied(tmp_path):
    source, pipe = clip(tmp_path / "in.mp4"), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(source.read_bytes()))
    writer.start()
    with local_input(pipe) as path:
        assert path.read_bytes() == source.read_bytes()
    writer.join()
    assert not path.exists()


def test_files_are_not_copied(tmp_path):
    with local_input(tmp_path / "in.mp4") as path:
        assert path == tmp_path / "in.mp4"


@pytest.mark.parametrize(
    ("stdin", "error", "words"),
    [
        (StandardInput(b"", terminal=True), UsageError, "is a terminal"),
        (StandardInput(b""), InputError, "is empty; pipe a video"),
    ],
    ids=["terminal", "nothing"],
)
def test_no_input_is_an_error(tmp_path, monkeypatch, stdin, error, words):
    monkeypatch.setattr("sys.stdin", stdin)
    with pytest.raises(error, match=words), local_input(Path("-"), tmp_path / "out.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []
