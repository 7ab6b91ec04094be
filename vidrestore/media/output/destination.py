"""OUT as a file or standard output: which container it is, whether it may be written, and how it appears."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av.error

from ...errors import OutputError, UsageError
from ..containers import CONTAINERS, EXTENSIONS, MATROSKA, Container

#: OUT if it is standard output.
STDOUT = Path("-")
#: Bytes of the longest name of a file, in the usual file systems.
_LONGEST_NAME = 255


def container_of(out: Path, name: str | None = None) -> Container:
    """The container of OUT: the one called ``name``, else the one that its extension stands for. Raises
    UsageError."""
    if name is not None:
        return CONTAINERS[name]
    if out == STDOUT:
        return MATROSKA
    try:
        return EXTENSIONS[out.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{out.name!r} does not have the extension of a container; use one of {', '.join(EXTENSIONS)}, "
            "or give -f"
        ) from None


def check_output(out: Path, source: Path, *, overwrite: bool, container: str | None = None) -> None:
    """Raise OutputError or UsageError if OUT cannot or must not be written."""
    container_of(out, container)
    if out == STDOUT:
        if sys.stdout is None:
            raise UsageError("standard output is closed; leave it open or name a file")
        if sys.stdout.isatty():
            raise UsageError("a video cannot be printed on a terminal; redirect standard output")
        return
    check_path(out, source, overwrite=overwrite)


def check_path(out: Path, source: Path, *, overwrite: bool) -> None:
    """Raise OutputError if no file can or must be written at ``out``: the input ``source`` never is."""
    try:
        folder = out.absolute().parent
    except FileNotFoundError:
        raise OutputError(f"{out} cannot be written: the current folder no longer exists") from None
    # Unlike those of Path, the functions of os.path return False for names that cannot exist.
    if not os.path.isdir(folder):
        raise OutputError(f"the folder {folder} does not exist; make it first or choose another")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {folder} cannot be written to: permission denied")
    try:
        out.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:  # a name that is too long or contains NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{str(out)!r} cannot be written: {reason}; choose another name") from None
    if os.path.isdir(out):
        raise OutputError(f"{out} is a folder; name a file")
    if os.path.exists(out):
        if os.path.exists(source) and out.samefile(source):
            raise OutputError(f"{out} is the input itself; choose another name")
        if not overwrite:
            raise OutputError(f"{out} exists; give -y to replace it")


def check_space(out: Path, needed: int) -> None:
    """Raise OutputError if the disk of OUT has less than ``needed`` bytes free."""
    folder = out.absolute().parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutputError(
            f"{folder} has {_size(free)} free, and {out.name} needs about {_size(needed)} while it is "
            "written; make room or choose another folder"
        )


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def display_name(out: Path) -> str:
    """OUT's name in messages."""
    return "standard output" if out == STDOUT else out.name


@contextmanager
def standard_output() -> Iterator[int]:
    """A file descriptor of standard output for a video's bytes. Until it is closed, everything printed goes
    to standard error instead."""
    assert sys.__stdout__ is not None
    assert sys.__stderr__ is not None
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


def partial_path(out: Path) -> Path:
    """The hidden name under which OUT is written until it is complete."""
    return out.with_name(fitting_name(f".{out.stem}", f".partial{out.suffix}"))


def fitting_name(stem: str, ending: str) -> str:
    """``stem + ending``; if that is too long for a file name, the stem is cut and a hash of the whole name is
    added, so that the same name always results in the same file."""
    name = stem + ending
    if len(os.fsencode(name)) <= _LONGEST_NAME:
        return name
    ending = f"-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}" + (ending if len(ending) < 40 else "")
    room = _LONGEST_NAME - len(os.fsencode(ending))
    return os.fsencode(stem)[:room].decode("utf-8", "ignore") + ending


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn errors that occur while OUT is written into OutputError."""
    try:
        yield
    except (OSError, av.error.FFmpegError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        name = display_name(out) if out == STDOUT else out
        raise OutputError(f"{name} cannot be written: {reason}") from error


def make_durable(partial: Path, out: Path) -> None:
    """Rename a finished file to ``out``, after its content is safely on the disk, so that a power cut leaves
    either the old file or the complete new one."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, out)
    if os.name == "posix":
        folder = os.open(out.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
