"""Standard input and named pipes as files.

A video is read more than once: its frames by the decoder, the packets of its other streams by their copier
when their turn comes; and a QuickTime file may have its index at its end. A pipe is read once, so what comes
through it is kept in a file beside OUT, until the run is over.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...errors import InputError, OutputError, UsageError

STDIN = Path("-")
_CHUNK = 1 << 20


@contextmanager
def local_input(path: Path, out: Path | None = None) -> Iterator[Path]:
    """``path``, or where it is ``-`` or a pipe, a file with all that comes through it, for as long as the
    context lasts; in the folder of ``out`` where it can be written to, else among temporary files.

    Raises UsageError for a terminal, InputError for nothing, OutputError for a full disk.
    """
    if path != STDIN and not _is_pipe(path):
        yield path
        return
    if path == STDIN and sys.stdin.isatty():
        raise UsageError("standard input is a terminal; pipe a video into it, or name a file")
    parent = out.absolute().parent if out is not None and out != STDIN else None
    if parent is not None and not os.access(parent, os.W_OK | os.X_OK):
        parent = None  # said of OUT in its turn
    name = "standard input" if path == STDIN else path.name
    with tempfile.TemporaryDirectory(prefix=".vidrestore-", dir=parent) as folder:
        spool = Path(folder) / name
        if path == STDIN:
            _copy(sys.stdin.buffer, spool)
        else:
            with path.open("rb") as pipe:
                _copy(pipe, spool)
        # The same bytes are the same input, whenever they come.
        os.utime(spool, (0, 0))
        if not spool.stat().st_size:
            raise InputError(f"nothing came through {name}; pipe a video into it")
        yield spool


def _is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except OSError:
        return False


def _copy(source: BinaryIO, spool: Path) -> None:
    try:
        with spool.open("wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
    except OSError as error:
        raise OutputError(f"the input cannot be kept in {spool.parent}: {error.strerror}") from None
