"""The entry point: one handler turns every error into one line and an exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType

from .errors import VidrestoreError

#: What is said of the signals that end a run; the exit code is 128 and the signal's number.
_SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class _Stops:
    """While entered, a signal raises KeyboardInterrupt where the program stands, so that it cleans up
    behind itself, and is noted: a library may make another error of the exception on its way."""

    received: int | None = None

    def __enter__(self) -> _Stops:
        self._before = {number: signal.signal(number, self._stop) for number in _SIGNALS}
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:  # no patience left
            os._exit(128 + number)
        self.received = number
        raise KeyboardInterrupt


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143
    terminated. ``VIDRESTORE_DEBUG=1`` lets errors through with their traceback."""
    stops = _Stops()
    try:
        with stops:
            from .cli import run  # takes its time, in which a signal may come

            return run(sys.argv[1:] if argv is None else argv)
    except BrokenPipeError:
        # Whoever read standard output has gone; say nothing more to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Exception, KeyboardInterrupt) as error:
        notes = getattr(error, "__notes__", ())
        if stops.received or isinstance(error, KeyboardInterrupt):
            number = stops.received or signal.SIGINT
            message, code = _SIGNALS[number], 128 + number
        elif os.environ.get("VIDRESTORE_DEBUG"):
            raise
        elif isinstance(error, VidrestoreError):
            message, code = str(error), error.exit_code
        else:
            what = f"{type(error).__name__}: {error}"
            message, code = f"a fault of vidrestore's own ({what}); VIDRESTORE_DEBUG=1 shows where", 1
    logging.getLogger("vidrestore").error("%s", "; ".join((message, *notes)))
    return code


if __name__ == "__main__":
    sys.exit(main())
