"""Locks between processes. The operating system releases them when their holder ends, even by ``kill -9``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_POLL = 0.2  #: seconds between two attempts

if os.name == "nt":
    import msvcrt

    def _try_lock(file: BinaryIO) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``; wait as long as another process holds it.

    The empty file is not deleted afterwards, because another process may be waiting for it. Raises
    ``OSError`` if it cannot be created.
    """
    with open(path, "ab") as file:
        while not _try_lock(file):
            time.sleep(_POLL)
        yield  # closing the file releases it


def hold(path: Path) -> BinaryIO | None:
    """Hold the lock file ``path`` until the returned file is closed; return None if another process holds it.

    The holder may delete the file. Raises ``OSError`` if it cannot be created.
    """
    while True:
        file = open(path, "ab")  # noqa: SIM115
        if not _try_lock(file):
            file.close()
            return None
        try:
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        except FileNotFoundError:
            pass
        # The previous holder deleted the file after this process had opened it: try again with a new one.
        file.close()
