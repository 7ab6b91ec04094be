"""A lock between processes that is gone when its holder is, however that ended."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_POLL = 0.2  # seconds

if os.name == "nt":
    import msvcrt

    def _try(file: BinaryIO) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until no other process holds the lock file ``path``, then hold it.

    The file stays afterwards, empty: deleting it could take it from under a process that waits for it.
    Raises ``OSError`` when it cannot be made.
    """
    with open(path, "ab") as file:
        while not _try(file):
            time.sleep(_POLL)
        yield  # closing the file releases it


def hold(path: Path) -> BinaryIO | None:
    """Hold the lock file ``path`` until what is returned is closed; None where another process does.

    Its holder may delete it. Raises ``OSError`` when it cannot be made.
    """
    while True:
        file = open(path, "ab")  # noqa: SIM115
        if not _try(file):
            file.close()
            return None
        try:
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        except FileNotFoundError:
            pass
        # Its holder deleted it before this process had it.
        file.close()
