"""The entry point: turns every error into one line and an exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType

from .errors import VidrestoreError
from .messages import messages_on_stderr
from .standard_streams import safe_streams

# Read once, when PyTorch is loaded: network threads that wait for each other by spinning would take the
# processor from the stages that work beside them.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# SVT-AV1 logs its settings to standard error; only this variable limits it to errors.
os.environ.setdefault("SVT_LOG", "1")

#: Messages for the signals that end a run; the exit code is 128 plus the signal's number.
_SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
if hasattr(signal, "SIGHUP"):  # which Windows does not have
    _SIGNALS[signal.SIGHUP] = "the terminal was closed"


class SignalHandler:
    """While entered, SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt, so that the program cleans up after
    itself; those that are ignored, as SIGHUP by nohup, still are.
    The signal is kept in ``received``: a library may turn the exception into another one on its way, and
    Python ignores exceptions in callbacks of weak references and in finalizers."""

    received: int | None = None

    def __enter__(self) -> SignalHandler:
        heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._stop) for number in heard}
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal was received, in case the first one was ignored."""
        if self.received is not None:
            raise KeyboardInterrupt

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:  # no patience left
            os._exit(128 + number)
        self.received = number
        raise KeyboardInterrupt


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code: 0 done, 1 failed, 2 wrong usage, 129 terminal closed, 130
    interrupted, 143 terminated. ``VIDRESTORE_DEBUG=1`` lets errors through with their traceback."""
    with safe_streams(), messages_on_stderr():
        return _run(sys.argv[1:] if argv is None else argv)


def _run(argv: list[str]) -> int:
    signals = SignalHandler()
    try:
        with signals:
            from .cli import run  # takes a while, during which a signal may come

            code = run(argv, signals.check)
            signals.check()
            return code
    except BrokenPipeError:
        # The reader of standard output has gone: print nothing more to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Exception, KeyboardInterrupt) as error:
        notes = getattr(error, "__notes__", ())
        if signals.received or isinstance(error, KeyboardInterrupt):
            number = signals.received or signal.SIGINT
            message, code = _SIGNALS[signal.Signals(number)], 128 + number
        elif os.environ.get("VIDRESTORE_DEBUG"):
            raise
        elif isinstance(error, VidrestoreError):
            message, code = str(error), error.exit_code
        else:
            what = f"{type(error).__name__}: {error}"
            message, code = f"internal error ({what}); set VIDRESTORE_DEBUG=1 for the traceback", 1
    logging.getLogger("vidrestore").error("%s", "; ".join((message, *notes)))
    return code


if __name__ == "__main__":
    sys.exit(main())
