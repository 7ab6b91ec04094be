"""OUT that is not an ordinary file: standard output, a pipe, a device, or a link.

Pipes and devices are written to from beginning to end and never replaced; of a link, the file that it points
to is replaced.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...errors import OutputError, UsageError

log = logging.getLogger(__name__)

#: OUT if it is standard output.
STDOUT = Path("-")
#: Folders whose entries are the open files of this process.
_DESCRIPTORS = ("/dev/fd", "/proc/self/fd")


def is_stream(out: Path) -> bool:
    """Whether OUT is standard output, a pipe, a device or an open file of this process (``/dev/fd/3``)."""
    if _descriptor(out) is not None:
        return True
    try:
        mode = out.stat().st_mode
    except (OSError, ValueError):  # ValueError: a NUL character
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def is_standard_output(out: Path) -> bool:
    """Whether OUT is standard output, by whatever name."""
    return _descriptor(out) == 1


def check_stream(out: Path) -> None:
    """Raise OutputError or UsageError if a stream cannot be written to."""
    descriptor = _descriptor(out)
    if descriptor == 1:
        if sys.stdout is None:
            raise UsageError("standard output is closed; leave it open or name a file")
        _refuse_terminal(1)
    elif descriptor == 2:
        raise UsageError(f"{out} is standard error, where messages go; use - for standard output")
    elif descriptor is not None:
        with suppress(OSError):
            os.fstat(descriptor)
            return
        raise OutputError(f"{out} is not open in this process; open it or name a file")
    elif stat.S_ISBLK(out.stat().st_mode):
        raise OutputError(f"{out} is a disk (a block device); name a file on it")
    elif not os.access(out, os.W_OK):
        raise OutputError(f"{out} cannot be written to: permission denied")


@contextmanager
def open_stream(out: Path) -> Iterator[int]:
    """A file descriptor for a video's bytes. A named pipe is opened once a program reads it.

    If it is standard output, everything that is printed before it is closed goes to standard error instead.
    """
    descriptor = _descriptor(out)
    if descriptor == 1:
        with _standard_output() as copy:
            yield copy
        return
    copy = os.dup(descriptor) if descriptor is not None else _open(out)
    try:
        _refuse_terminal(copy)
        yield copy
    finally:
        os.close(copy)


def file_behind(out: Path) -> Path:
    """The path of the file that OUT is, or that it points to if it is a link."""
    return Path(os.path.realpath(out)) if os.path.islink(out) else out


def _descriptor(out: Path) -> int | None:
    """Which open file of this process OUT is, by its number; None if it is a path like any other."""
    if out == STDOUT:
        return 1
    folders = {os.path.realpath(folder) for folder in _DESCRIPTORS}
    path = str(out)
    with suppress(OSError, ValueError):
        for _ in range(40):  # as many links as Linux follows
            folder, name = os.path.split(path)
            if name.isdecimal() and os.path.realpath(folder) in folders:
                return int(name)
            path = os.path.join(folder, os.readlink(path))
    return None


def _open(out: Path) -> int:
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        if not stat.S_ISFIFO(out.stat().st_mode):
            raise
        log.info("waiting for a program that reads %s", out)
        return os.open(out, os.O_WRONLY)
    os.set_blocking(descriptor, True)
    return descriptor


@contextmanager
def _standard_output() -> Iterator[int]:
    assert sys.__stdout__ is not None
    sys.stdout.flush()
    printed = sys.__stdout__.fileno()
    descriptor = os.dup(printed)
    os.dup2(2 if sys.__stderr__ is None else sys.__stderr__.fileno(), printed)
    try:
        yield descriptor
    finally:
        sys.stdout.flush()
        os.dup2(descriptor, printed)
        os.close(descriptor)


def _refuse_terminal(descriptor: int) -> None:
    terminal = sys.stdout.isatty() if descriptor == 1 else os.isatty(descriptor)
    if terminal:
        raise UsageError("a video cannot be printed on a terminal; redirect standard output or name a file")
