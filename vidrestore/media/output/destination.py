"""OUT as a file: what it may be called, where it may lie, and how writing it fails."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from ...errors import OutputError, UsageError

#: FFmpeg's muxer for each ending of OUT.
MUXERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}


#: OUT where it is standard output.
STDOUT = Path("-")


def muxer_of(out: Path, container: str | None = None) -> str:
    """FFmpeg's muxer for OUT: ``container``, or what its name says. Raises UsageError."""
    if container is not None:
        return container
    if out == STDOUT:
        return "matroska"
    try:
        return MUXERS[out.suffix.lower()]
    except KeyError:
        endings = ", ".join(MUXERS)
        raise UsageError(
            f"{out.name!r} has no ending that names a container; use one of {endings}, or give -f"
        ) from None


def check_output(out: Path, source: Path, *, overwrite: bool, container: str | None = None) -> None:
    """Refuse an OUT that cannot or must not be written. Raises OutputError or UsageError."""
    muxer_of(out, container)
    if out == STDOUT:
        if sys.stdout.isatty():
            raise UsageError("a video is nothing to print on a terminal; redirect standard output")
        return
    check_place(out, source, overwrite=overwrite)


def name_of(out: Path) -> str:
    """OUT in messages."""
    return "standard output" if out == STDOUT else out.name


@contextmanager
def standard_output() -> Iterator[int]:
    """A descriptor for the bytes of a video. Meanwhile, what is printed goes to standard error."""
    sys.stdout.flush()
    printed = sys.__stdout__.fileno()
    descriptor = os.dup(printed)
    os.dup2(sys.__stderr__.fileno(), printed)
    try:
        yield descriptor
    finally:
        sys.stdout.flush()
        os.dup2(descriptor, printed)
        os.close(descriptor)


def check_space(out: Path, needed: int) -> None:
    """Refuse to begin what the disk has no room for, in bytes. Raises OutputError."""
    folder = out.absolute().parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutputError(
            f"{folder} has {_size(free)} free, and {out.name} needs about {_size(needed)} while it is made; "
            "make room or choose another folder"
        )


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def check_place(out: Path, source: Path, *, overwrite: bool) -> None:
    """Refuse a place where no file can or must be written. Raises OutputError."""
    folder = out.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"the folder {folder} does not exist; make it first or choose another")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {folder} cannot be written to: permission denied")
    if out.is_dir():
        raise OutputError(f"{out} is a folder; name a file")
    if out.exists():
        if source.exists() and out.samefile(source):
            raise OutputError(f"{out} is the input itself; choose another name")
        if not overwrite:
            raise OutputError(f"{out} exists; give -y to replace it")


def partial_path(out: Path) -> Path:
    """The hidden name under which OUT is written until it is whole."""
    return out.with_name(f".{out.stem}.partial{out.suffix}")


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn what goes wrong while OUT is written into an OutputError."""
    try:
        yield
    except (OSError, av.error.FFmpegError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        called = name_of(out) if out == STDOUT else out
        raise OutputError(f"{called} cannot be written: {reason}") from error


def make_durable(partial: Path, out: Path) -> None:
    """Give a finished file its name, once a power cut could no longer take anything of it."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, out)
    if os.name == "posix":
        folder = os.open(out.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
