"""OUT is refused before any work if it cannot or must not be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.frames import clip
from tests.support.platforms import posix
from vidrestore.errors import OutputError, UsageError
from vidrestore.media.output.destination import check_output, fitting_name


def test_out_is_refused_before_any_work(tmp_path):
    source = clip(tmp_path / "in.mp4")
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"mine")
    for out, overwrite, error, words in (
        (taken, False, OutputError, "exists; give -y"),
        (source, True, OutputError, "the input itself"),
        (tmp_path / "no" / "out.mp4", False, OutputError, "does not exist"),
        (tmp_path / "out.txt", False, UsageError, "does not have the extension"),
        (tmp_path / "out", False, UsageError, "does not have the extension"),
    ):
        with pytest.raises(error, match=words):
            check_output(out, source, overwrite=overwrite)
    check_output(taken, source, overwrite=True)


@pytest.mark.parametrize("name", ["x" * 300 + ".mp4", "nul\0.mp4"], ids=["too long", "NUL"])
def test_an_impossible_name_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match="cannot be written"):
        check_output(tmp_path / name, tmp_path / "in.mp4", overwrite=True)


@posix
def test_a_current_folder_that_is_gone_is_an_error(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(OutputError, match="the current folder no longer exists"):
        check_output(Path("out.mp4"), tmp_path / "in.mp4", overwrite=True)


def test_hidden_names_fit():
    assert fitting_name(".out.mp4", ".vidrestore") == ".out.mp4.vidrestore"
    names = [fitting_name("." + "é" * 125 + end, ".vidrestore") for end in ("a.mp4", "b.mp4")]
    assert names == [fitting_name("." + "é" * 125 + end, ".vidrestore") for end in ("a.mp4", "b.mp4")]
    assert len(set(names)) == 2
    assert all(name.endswith(".vidrestore") and len(name.encode()) <= 255 for name in names)
    assert len(fitting_name("partial", "." + "x" * 254)) <= 255
