"""SIGTERM and Ctrl-C as a request to stop, so that the current step is finished and saved."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """A context manager that records the first of :data:`SIGNALS` in ``received``; call it to check.

    Further signals have no effect, because torchrun forwards signals that the terminal has already sent to
    all processes. It must be entered in the main thread.
    """

    received: int | None = None

    def __enter__(self) -> StopSignals:
        self._before: list[Any] = [signal.signal(number, self._record) for number in SIGNALS]
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, handler)

    def _record(self, number: int, frame: FrameType | None) -> None:
        self.received = self.received or number

    def __call__(self) -> bool:
        """Return whether a signal was received."""
        return self.received is not None


def ignore_stop_signals(worker: int) -> None:
    """Ignore the signals in a worker of the data loader: the current step still needs it."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
