"""Waits for files to arrive in a folder, and for each to be complete."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from .inputs import Found, find_inputs

if os.name == "posix":
    import fcntl

#: Seconds between two looks.
POLL = 2.0
#: Looks in a row at which a file must be the same.
_LOOKS = 3


def arrivals(
    folder: Path, out: Path, *, recursive: bool, wait: Callable[[float], object] = time.sleep
) -> Iterator[list[Found]]:
    """Yield the videos and photos in ``folder`` that are complete: now, and as they arrive, without an end.

    A file is complete when it is not empty, has not changed at three looks in a row, and no program on this
    machine has it open for writing, as far as the system tells. One that changes later is yielded again. A
    folder that cannot be read now may be later. ``wait`` is called with the seconds between two looks.
    """
    states = dict[Path, tuple[object, int]]()  # what each looked like, and how often
    while True:
        complete: list[Found] = []
        now = dict[Path, tuple[object, int]]()
        for file in find_inputs([str(folder)], out, recursive=recursive).files:
            state = _state(file.path)
            if state is None:
                continue
            before, looks = states.get(file.path, (None, 0))
            looks = looks + 1 if state == before else 1
            if looks == _LOOKS:
                if is_written(file.path):
                    looks -= 1  # look again
                else:
                    complete.append(file)
            now[file.path] = (state, looks)
        states = now
        if complete:
            yield complete
        wait(POLL)


def is_written(path: Path) -> bool:
    """Whether a program on this machine has ``path`` open for writing. False where the system does not tell:
    only Linux does, on its own disks."""
    lease = getattr(fcntl, "F_SETLEASE", None) if os.name == "posix" else None
    if lease is None:
        return False
    with suppress(OSError), path.open("rb") as file:
        try:
            # Granted only if nobody writes, and given back at once.
            fcntl.fcntl(file, lease, fcntl.F_RDLCK)
        except BlockingIOError:
            return True
        fcntl.fcntl(file, lease, fcntl.F_UNLCK)
    return False


def _state(path: Path) -> object | None:
    """What changes while a file is written; None if it is empty or has gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns, status.st_ino) if status.st_size else None
