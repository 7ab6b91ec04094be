"""OUT is refused before any work if it cannot or must not be written."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.support import reader
from tests.support.encoders import open_segment_writer
from tests.support.frames import LOSSLESS, clip
from tests.support.platforms import posix
from vidrestore.errors import OutputError, UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.output.destination import check_output, fitting_name, make_durable, new_file


def test_out_is_refused_before_any_work(tmp_path):
    source = clip(tmp_path / "in.mp4")
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"mine")
    for out, overwrite, error, words in (
        (taken, False, OutputError, "exists; give -y"),
        (source, True, OutputError, "the input itself"),
        (tmp_path / "no" / "out.mp4", False, OutputError, "does not exist"),
        (source / "out.mp4", False, OutputError, "in.mp4 is not a folder"),
        (tmp_path / "out.txt", False, UsageError, "does not have the extension"),
        (tmp_path / "out", False, UsageError, "does not have the extension"),
    ):
        with pytest.raises(error, match=words):
            check_output(out, source, overwrite=overwrite)
    check_output(taken, source, overwrite=True)


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    """A power cut must not leave an empty file of the right name."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def log_fsync(number: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "content")
        fsync(number)

    def log_replace(old: Path, new: Path) -> None:
        done.append("name")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", log_fsync)
    monkeypatch.setattr(os, "replace", log_replace)
    with new_file(tmp_path / "out.txt") as partial:
        partial.write_text("all of it")
    assert done == ["content", "name", *(["folder"] if os.name == "posix" else [])]
    done.clear()
    source, out = clip(tmp_path / "in.mp4", count=12), tmp_path / "out.mkv"
    with Decoder(source) as decoder, open_segment_writer(decoder, out, LOSSLESS, length=5) as writer:
        for frame in decoder:
            writer.write(frame)
    names = [step for step in done if step != "folder"]
    assert names == ["content", "name"] * (len(names) // 2)
    assert len(names) >= 2 * 4  # three segments and OUT


@posix
def test_a_folder_that_cannot_be_made_durable_is_written_all_the_same(tmp_path, monkeypatch):
    """Samba, VirtualBox and virtiofs refuse fsync of folders."""
    real = os.fsync

    def fsync(number: int) -> None:
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(22, "Invalid argument")
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    with new_file(tmp_path / "out.txt") as partial:
        partial.write_text("all of it")
    assert (tmp_path / "out.txt").read_text() == "all of it"
    assert len(list(tmp_path.iterdir())) == 1


@posix
def test_a_pipe_is_not_read_and_written_at_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="pipe is the input itself"):
        check_output(pipe, pipe, overwrite=True)
    check_output(pipe, clip(tmp_path / "in.mp4"), overwrite=True)


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


def test_a_write_protected_file_is_not_replaced(tmp_path, monkeypatch):
    source, out = clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    out.write_bytes(b"mine")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != out and access(path, mode))  # root may write
    with pytest.raises(OutputError, match="is write-protected"):
        check_output(out, source, overwrite=True)


@pytest.mark.parametrize("limit", [255, 143])
def test_hidden_names_fit(tmp_path, monkeypatch, limit):
    """143 bytes: the limit of eCryptfs."""
    monkeypatch.setattr(os, "pathconf", lambda folder, name: limit, raising=False)
    assert fitting_name(".out.mp4", ".vidrestore", tmp_path) == ".out.mp4.vidrestore"
    stems = ["." + "é" * 125 + end for end in ("a.mp4", "b.mp4")]
    names = [fitting_name(stem, ".vidrestore", tmp_path) for stem in stems]
    assert names == [fitting_name(stem, ".vidrestore", tmp_path) for stem in stems]
    assert len(set(names)) == 2
    assert all(name.endswith(".vidrestore") and len(name.encode()) <= limit for name in names)
    assert len(fitting_name("partial", "." + "x" * 254, tmp_path)) <= limit


@pytest.mark.parametrize("name", ["é" * 125 + "a.mkv", "日" * 83 + "ab.mkv"], ids=["2 bytes", "3 bytes"])
def test_a_file_of_the_longest_name_is_written(tmp_path, name):
    assert len(name.encode()) == 255
    source, out = clip(tmp_path / "in.mp4"), tmp_path / name
    with Decoder(source) as decoder, open_segment_writer(decoder, out, LOSSLESS) as writer:
        for frame in decoder:
            writer.write(frame)
    assert len(reader.frames(out)) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "in.mp4"])


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_has_appeared_meanwhile_is_left_alone(tmp_path, monkeypatch, links):
    """Also on a file system without hard links."""
    if not links:
        monkeypatch.setattr(os, "link", Mock(side_effect=PermissionError))
    partial, out = tmp_path / "partial.mp4", tmp_path / "out.mp4"
    partial.write_bytes(b"new")
    make_durable(partial, out, replaces=False)
    assert (out.read_bytes(), partial.exists()) == (b"new", False)
    partial.write_bytes(b"newer")
    with pytest.raises(OutputError, match="has appeared while it was made"):
        make_durable(partial, out, replaces=False)
    assert (out.read_bytes(), partial.read_bytes()) == (b"new", b"newer")
    make_durable(partial, out)
    assert out.read_bytes() == b"newer"
