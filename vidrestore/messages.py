"""How the command line prints log messages."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unicodedata import category

#: Unicode's categories of characters that would break a line, or that no encoding has.
_BREAKING = {"Cc", "Cs", "Zl", "Zp"}


class _Handler(logging.Handler):
    """Prints one line for each message: on a terminal above the progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        level = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        line = one_line(f"vidrestore: {level}{record.getMessage()}")
        if sys.stderr.isatty():
            from tqdm import tqdm  # here, so that --help does not wait for it

            tqdm.write(line, file=sys.stderr)
        else:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


def one_line(text: str) -> str:
    """``text`` with control characters, which names of files may have, written as escapes.

    >>> one_line("a\\nb.mp4")
    'a\\\\nb.mp4'
    """
    return "".join(repr(c)[1:-1] if category(c) in _BREAKING else c for c in text)


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
