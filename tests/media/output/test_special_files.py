"""Pipes and devices are written to, never replaced; of a link the file it points to is replaced."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.support import reader
from tests.support.frames import FAST, LOSSLESS, clip, pass_through
from tests.support.platforms import posix
from vidrestore.errors import OutputError, UsageError
from vidrestore.media.containers import MATROSKA, MP4
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.output.destination import check_output, check_path, container_of
from vidrestore.media.output.special_files import file_behind, is_stream, open_stream

pytestmark = posix


def descriptor_path(descriptor: int) -> Path:
    return Path(f"/dev/fd/{descriptor}")


def null_device(path: Path) -> Path:
    """A device like /dev/null, which a fault may destroy."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        path.write_bytes(b"")
    except OSError:
        pytest.skip("devices need root")
    return path


class Waiting(logging.Handler):
    """Notes that a message says that a program is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.noted = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "waiting for a program that reads" in record.getMessage():
            self.noted.set()


def test_a_named_pipe_is_written_to(tmp_path, caplog):
    source, pipe, got = clip(tmp_path / "in.mp4"), tmp_path / "pipe.mkv", tmp_path / "got.mkv"
    os.mkfifo(pipe)
    caplog.set_level(logging.INFO)
    waiting = Waiting()

    def read() -> None:
        waiting.noted.wait(60)
        got.write_bytes(pipe.read_bytes())

    reader_thread = threading.Thread(target=read)
    reader_thread.start()
    log = logging.getLogger("vidrestore.media.output.special_files")
    log.addHandler(waiting)
    try:
        check_output(pipe, source, overwrite=False)
        pass_through(source, pipe, LOSSLESS)
    finally:
        log.removeHandler(waiting)
        reader_thread.join(60)
    assert waiting.noted.is_set()
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert [f.digest for f in reader.frames(got)] == [f.digest for f in reader.frames(source)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["got.mkv", "in.mp4", "pipe.mkv"]


def test_a_pipe_whose_reader_goes_is_one_sentence(tmp_path):
    source, pipe = clip(tmp_path / "in.mp4", size=(320, 240)), tmp_path / "pipe.mkv"  # more than it buffers
    os.mkfifo(pipe)

    def read_a_little() -> None:
        with pipe.open("rb", buffering=0) as file:
            file.read(1)

    thread = threading.Thread(target=read_a_little)
    thread.start()
    with pytest.raises(OutputError, match="cannot be written: Broken pipe"):
        pass_through(source, pipe, EncoderSettings(codec="rawvideo"))
    thread.join(60)


def test_a_device_is_written_to(tmp_path):
    source, device = clip(tmp_path / "in.mp4"), null_device(tmp_path / "null")
    for overwrite in (False, True):
        check_output(device, source, overwrite=overwrite)
    assert container_of(device) is MATROSKA
    pass_through(source, device, LOSSLESS)
    link = tmp_path / "link.mp4"
    link.symlink_to(device)
    assert container_of(link) is MP4
    pass_through(source, link, FAST)
    assert stat.S_ISCHR(device.lstat().st_mode)
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "link.mp4", "null"]


def copy(descriptor: int, file: BinaryIO) -> None:
    with open(descriptor, "rb") as source:
        file.write(source.read())


@pytest.mark.parametrize("is_pipe", [True, False], ids=["pipe", "file"])
def test_an_open_file_of_the_process_is_written_to(tmp_path, is_pipe):
    source, got = clip(tmp_path / "in.mp4"), tmp_path / "got.mkv"
    with got.open("wb") as file:
        reading, writing = os.pipe() if is_pipe else (None, os.dup(file.fileno()))
        thread = threading.Thread(target=lambda: copy(reading, file) if reading is not None else None)
        thread.start()
        out = descriptor_path(writing)
        check_output(out, source, overwrite=False)
        pass_through(source, out, LOSSLESS)
        os.close(writing)
        thread.join(20)
    assert [f.digest for f in reader.frames(got)] == [f.digest for f in reader.frames(source)]


def test_a_link_to_standard_output_is_standard_output(tmp_path):
    """Messages that are printed meanwhile do not get into the video."""
    code = (
        "import sys; from pathlib import Path\n"
        "from vidrestore.media.output.special_files import open_stream\n"
        "import os\n"
        "with open_stream(Path(sys.argv[1])) as out: os.write(out, b'video'); print('message', flush=True)"
    )
    (tmp_path / "link.mkv").symlink_to("/dev/fd/1")
    for name in ("-", "/dev/stdout", "/dev/fd/1", str(tmp_path / "link.mkv")):
        done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, check=True)
        assert (done.stdout, done.stderr) == (b"video", b"message\n"), name


def test_what_cannot_be_written_to_is_one_sentence(tmp_path, monkeypatch):
    source, pipe = clip(tmp_path / "in.mp4"), tmp_path / "pipe"
    os.mkfifo(pipe)
    closed = os.dup(2)
    os.close(closed)
    for out, error, words in (
        (Path("/dev/stderr"), UsageError, "where messages go"),
        (descriptor_path(closed), OutputError, "is not open"),
    ):
        with pytest.raises(error, match=words):
            check_output(out, source, overwrite=True)
    with pytest.raises(OutputError, match="is a pipe or a device; name a file"):
        check_path(pipe, source, overwrite=True)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="permission denied"):
        check_output(pipe, source, overwrite=True)
    monkeypatch.setattr(stat, "S_ISBLK", lambda mode: True)
    with pytest.raises(OutputError, match="is a disk"):
        check_output(pipe, source, overwrite=True)


def test_a_terminal_is_refused():
    terminal, other = os.openpty()
    try:
        with (
            pytest.raises(UsageError, match="cannot be printed on a terminal"),
            open_stream(Path(os.ttyname(other))),
        ):
            pass
    finally:
        os.close(terminal)
        with suppress(OSError):
            os.close(other)


@pytest.mark.parametrize("exists", [True, False], ids=["file", "missing"])
def test_the_file_behind_a_link_is_replaced(tmp_path, exists):
    source, target = clip(tmp_path / "in.mp4"), tmp_path / "elsewhere" / "film"
    target.parent.mkdir()
    if exists:
        target.write_bytes(b"old")
        target.chmod(0o640)
    chain, link = tmp_path / "chain", tmp_path / "link.mkv"
    chain.symlink_to(Path("elsewhere") / "film")
    link.symlink_to("chain")
    if exists:
        with pytest.raises(OutputError, match="give -y"):
            check_output(link, source, overwrite=False)
    check_output(link, source, overwrite=exists)
    pass_through(source, link, LOSSLESS)
    assert link.is_symlink()
    assert [f.digest for f in reader.frames(target)] == [f.digest for f in reader.frames(source)]
    assert [p.name for p in target.parent.iterdir()] == ["film"]
    if exists:
        assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_links_that_cannot_be_written_through(tmp_path):
    source = clip(tmp_path / "in.mp4")
    for name, target, words in (
        ("loop.mkv", "loop.mkv", "leads in a circle"),
        ("folder.mkv", ".", "is a folder"),
        ("no.mkv", "no/film", "does not exist"),
        ("self.mkv", "in.mp4", "the input itself"),
    ):
        link = tmp_path / name
        link.symlink_to(target)
        with pytest.raises(OutputError, match=words):
            check_output(link, source, overwrite=True)


def test_ordinary_files_are_no_streams(tmp_path):
    (tmp_path / "1").write_bytes(b"")
    for path in (tmp_path, tmp_path / "1", tmp_path / "missing", Path("nul\0")):
        assert not is_stream(path)
    assert file_behind(tmp_path / "1") == tmp_path / "1"
