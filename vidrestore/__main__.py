"""The entry point: one handler turns every error into one line and an exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType

from .errors import VidrestoreError


class _Terminated(BaseException):
    """SIGTERM, raised where the program stands so that it cleans up behind itself."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143
    terminated. ``VIDRESTORE_DEBUG=1`` lets errors through with their traceback."""
    from .cli import run

    signal.signal(signal.SIGTERM, _terminate)
    try:
        return run(sys.argv[1:] if argv is None else argv)
    except BrokenPipeError:
        # Whoever read standard output has gone; say nothing more to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("VIDRESTORE_DEBUG"):
            raise
        if isinstance(error, VidrestoreError):
            message, code = str(error), error.exit_code
        else:
            what = f"{type(error).__name__}: {error}"
            message, code = f"a fault of vidrestore's own ({what}); VIDRESTORE_DEBUG=1 shows where", 1
    except KeyboardInterrupt:
        message, code = "interrupted", 130
    except _Terminated:
        message, code = "terminated", 143
    logging.getLogger("vidrestore").error("%s", message)
    return code


if __name__ == "__main__":
    sys.exit(main())
