"""How long a run waits for room on a cluster."""

from __future__ import annotations

import logging
import time

from ..errors import DeviceError

log = logging.getLogger(__name__)

#: Seconds after which it is said that a run waits, and after which it ends. Machines that a cloud adds to a
#: cluster need minutes.
PATIENCE, LIMIT = 30.0, 900.0


class Waiting:
    """One wait for a process that a cluster is to begin."""

    def __init__(self, film: str, what: str, needs: str) -> None:
        """For messages: the name of the film, ``what`` is to begin for it, and the room that it ``needs``."""
        self._film, self._what, self._needs = film, what, needs
        self.restart()

    def restart(self) -> None:
        """Room may come yet, from this run itself: the wait counts from now on."""
        self._began, self._said = time.monotonic(), False

    def go_on(self) -> None:
        """It has not begun yet. Says so after :data:`PATIENCE`; raises DeviceError after :data:`LIMIT`."""
        waited = time.monotonic() - self._began
        if waited > LIMIT:
            raise DeviceError(
                f"{self._what} of {self._film} has not begun in {_minutes()}: it needs {self._needs}; "
                "what is complete is kept: run the command again to continue"
            )
        if waited > PATIENCE and not self._said:
            self._said = True
            log.warning(
                "%s waits for %s to begin, and ends if it has not in %s: it needs %s",
                self._film,
                self._what,
                _minutes(),
                self._needs,
            )


def _minutes() -> str:
    return f"{LIMIT / 60:g} minutes"
