"""How the command line prints log messages."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Handler(logging.Handler):
    """Prints one line for each message, above the progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm  # here, so that --help does not wait for it

        level = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        tqdm.write(f"vidrestore: {level}{record.getMessage()}", file=sys.stderr)


@contextmanager
def messages_on_stderr() -> Iterator[None]:
    """Print the package's log messages on standard error; afterwards its logger is as it was before."""
    log = logging.getLogger("vidrestore")
    handler, level, propagate = _Handler(), log.level, log.propagate
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = propagate
        log.setLevel(level)
