"""SIGTERM and Ctrl-C as a wish that is noted, so that the step under way can be finished and saved."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """While entered, notes the first of :data:`SIGNALS` in ``received``. More of them change nothing:
    torchrun hands on what the terminal has sent to all already. To be entered in the main thread."""

    received: int | None = None

    def __enter__(self) -> StopSignals:
        self._before: list[Any] = [signal.signal(number, self._note) for number in SIGNALS]
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = self.received or number

    def __call__(self) -> bool:
        """Whether one has come."""
        return self.received is not None


def ignore_stop_signals(worker: int) -> None:
    """For a data loader's worker: a signal to the whole group must not take it from a step under way."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
