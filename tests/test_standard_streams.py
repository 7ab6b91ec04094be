"""The standard streams are safe to use whatever they are connected to."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys

import pytest

from tests.support.platforms import posix
from vidrestore.errors import OutputError
from vidrestore.standard_streams import ForgivingStream, print_data, safe_streams


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_what_cannot_be_encoded_is_escaped(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    with safe_streams():
        print_data("é \u6620 \udcff")
    assert raw.getvalue().rstrip() == b"\xe9 \\u6620 \\udcff"


@pytest.mark.parametrize("stream", [Full(), None], ids=["full", "closed"])
def test_messages_that_cannot_be_printed_are_left_out(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    with safe_streams():
        assert not sys.stderr.isatty()
        print("message", file=sys.stderr)
    assert sys.stderr is stream


def test_a_forgiving_stream_is_the_stream_otherwise():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    forgiving = ForgivingStream(stream)
    with forgiving:
        assert (forgiving.encoding, forgiving.errors, forgiving.write("ab")) == ("latin-1", None, 2)
    assert stream.buffer.getvalue() == b"ab"  # type: ignore[attr-defined]
    assert not stream.closed


def test_data_that_cannot_be_printed_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="standard output is closed"):
        print_data("data")


@posix
def test_no_file_gets_the_number_of_a_closed_stream(tmp_path):
    code = (
        "from vidrestore.standard_streams import safe_streams\n"
        "with safe_streams(), open('file', 'wb') as file: print(file.fileno(), file=open('number', 'w'))"
    )
    subprocess.run(["sh", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, code], cwd=tmp_path, check=True)
    assert int((tmp_path / "number").read_text()) > 2
    assert os.listdir(tmp_path)
