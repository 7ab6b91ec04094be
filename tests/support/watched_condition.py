"""A condition variable that tells how many threads wait on it, to test threads without sleeping."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class WatchedCondition(threading.Condition):
    """Counts the threads that wait on it and have not been notified. Knows ``notify_all`` only."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        self.main_waits = threading.Event()  #: set once the main thread has waited

    def wait(self, timeout: float | None = None) -> bool:
        self.waiting += 1
        if threading.current_thread() is threading.main_thread():
            self.main_waits.set()
        return super().wait(timeout)

    def notify_all(self) -> None:
        self.waiting = 0
        super().notify_all()


def wait_until(condition: Callable[[], bool], *, timeout: float = 60.0) -> None:
    """Wait until ``condition()`` is true; fail after ``timeout`` seconds, to end tests that would hang."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)
