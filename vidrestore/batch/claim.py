"""Claims to a result, so that two batches into one folder never work on the same file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..media.output.destination import fitting_name, writing
from ..runtime.lock import hold


@contextmanager
def claimed(out: Path) -> Iterator[bool]:
    """Claim the result ``out``; yields whether no other process has it. A claim ends with the process that
    has it. Raises OutputError if the folder of ``out`` cannot be written."""
    path = out.with_name(fitting_name(f".{out.name}", ".claim", out.parent))
    with writing(out):
        file = hold(path)
    if file is None:
        yield False
        return
    try:
        yield True
    finally:
        if os.name == "nt":  # which deletes no open file, nor one that another process has claimed since
            file.close()
            with suppress(OSError):
                path.unlink()
        else:
            path.unlink(missing_ok=True)
            file.close()
