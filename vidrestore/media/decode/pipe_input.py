"""Copies standard input and named pipes to a temporary file.

A pipe can be read only once, but a video is read several times: by the decoder, and by the copier of the
other streams, which lags behind; and the index of a QuickTime file may be at its end. So the input is kept in
a file beside OUT until the run is over.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ...errors import InputError, OutputError, UsageError

STDIN = Path("-")
_CHUNK = 1 << 20


@contextmanager
def local_input(path: Path, out: Path | None = None) -> Iterator[Path]:
    """A regular file to read the input from, valid within the context.

    This is ``path`` itself, unless it is ``-`` or a named pipe: then it is a copy of all its bytes, in the
    folder of ``out`` if that is writable, otherwise in the system's folder for temporary files.

    Raises UsageError if standard input is closed or a terminal, InputError if the pipe is empty,
    OutputError if the copy cannot be written.
    """
    if not is_piped(path):
        yield path
        return
    if path == STDIN and sys.stdin is None:
        raise UsageError("standard input is closed; pipe a video into it or name a file")
    if path == STDIN and sys.stdin.isatty():
        raise UsageError("standard input is a terminal; pipe a video into it or name a file")
    parent = None
    if out is not None and out != STDIN:
        with suppress(OSError, ValueError):  # reported when OUT is checked
            folder = Path(os.path.realpath(out)).parent
            on_disk = out.is_file() or not out.exists()  # and no device, whose folder is in memory
            parent = folder if on_disk and os.access(folder, os.W_OK | os.X_OK) else None
    name = "standard input" if path == STDIN else path.name
    with tempfile.TemporaryDirectory(prefix=".vidrestore-", dir=parent) as folder:
        copy = Path(folder) / name
        if path == STDIN:
            _write_all(sys.stdin.buffer, copy)
        else:
            with path.open("rb") as pipe:
                _write_all(pipe, copy)
        # The resume key reads the modification time, and the same bytes are the same input.
        os.utime(copy, (0, 0))
        if not copy.stat().st_size:
            raise InputError(f"{name} is empty; pipe a video into it")
        yield copy


def is_piped(path: Path) -> bool:
    """Whether ``path`` is standard input or a named pipe, which can be read only once."""
    try:
        return path == STDIN or stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):  # ValueError: a NUL character
        return False


def _write_all(source: BinaryIO, copy: Path) -> None:
    try:
        with copy.open("wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
    except OSError as error:
        raise OutputError(f"cannot write a copy of the input to {copy.parent}: {error.strerror}") from None
