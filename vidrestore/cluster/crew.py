"""The workers, who they are and which film each works for. Knows nothing of Ray."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import DeviceError
from ..stages.portion import Portion
from .film import Film
from .waiting import Waiting

log = logging.getLogger(__name__)

#: Seconds between two looks at who is free.
_POLL = 0.05
#: Beginnings that may fail, for each worker.
_MAX_FAILED = 3


class LostError(Exception):
    """A worker has ended: its process was killed, or its machine is gone."""


class Worker(Protocol):
    """A process that restores portions of films, one at a time."""

    name: str
    machine: str  #: what no other machine has; known once it has begun

    def has_begun(self) -> bool:
        """Whether it is ready to work. Raises LostError."""
        ...

    async def join(self, film: Film) -> bool:
        """Let it take part in ``film``; whether it has the input. Raises RefusedError or LostError."""
        ...

    async def send(self, film: Film) -> None:
        """Send it the input. Raises OutputError or LostError."""
        ...

    def render(self, film: Film, portion: Portion) -> AsyncIterator[Any]:
        """Let it restore ``portion``: yields what :mod:`.rendering` does. Raises VidrestoreError or
        LostError."""
        ...

    def dismiss(self) -> None:
        """End it."""
        ...


@dataclass(eq=False)
class Claim:
    """What a film asks for."""

    film: str
    left: int = 0  #: frames to restore, as far as known
    held: int = 0  #: workers that it has
    waiting: bool = False
    refused: set[Worker] = field(default_factory=set)  #: workers that cannot take part in it


class Crew:
    """Hands workers to films: each film that waits gets one first, then those with the most frames left for
    each worker that they have. May be used by several threads."""

    def __init__(self, hire: Callable[[int], Worker], size: int, *, needs: str = "a machine") -> None:
        """``hire`` begins a worker, by its number from 1; ``size`` is how many there are to be; ``needs``
        says, for messages, what room each needs."""
        self.size = size
        self._needs = needs
        self._hire = hire
        self._lock = threading.Lock()
        self._claims: list[Claim] = []
        self._hired = 0
        self._failed = 0  # workers that ended before they could begin, since one last did
        self._coming: list[Worker] = []
        self._begun = set[Worker]()  # idle or at work
        self._why = ""  # the last of those that failed to begin did
        self._idle: list[Worker] = []
        for _ in range(size):
            self._replace()

    def enter(self, claim: Claim) -> None:
        """A film begins."""
        with self._lock:
            self._claims.append(claim)

    def leave(self, claim: Claim) -> None:
        """A film has ended."""
        with self._lock:
            self._claims.remove(claim)

    async def acquire(self, claim: Claim) -> Worker:
        """Wait for a worker: as long as there is one that can take part, or for the time that
        :class:`.waiting.Waiting` gives to one that is to begin. Raises DeviceError if none can begin."""
        waiting = Waiting(claim.film, "a worker", self._needs)
        claim.waiting = True
        try:
            while True:
                if worker := self._try(claim):
                    return worker
                if self.has_others(claim, ()):  # at work, for this film or another
                    waiting.restart()
                else:
                    waiting.go_on()
                await asyncio.sleep(_POLL)
        finally:
            claim.waiting = False

    def release(self, worker: Worker, claim: Claim) -> None:
        """A worker has done its part."""
        with self._lock:
            claim.held -= 1
            self._idle.append(worker)

    def lose(self, worker: Worker, claim: Claim) -> None:
        """A worker has ended: another takes its place."""
        with self._lock:
            claim.held -= 1
            claim.refused.discard(worker)
            self._begun.discard(worker)
            self._replace()

    def refuse(self, worker: Worker, claim: Claim, reason: str) -> None:
        """A worker cannot take part in a film. Raises DeviceError if no worker can."""
        with self._lock:
            claim.held -= 1
            claim.refused.add(worker)
            self._idle.append(worker)
            if claim.refused >= self._begun and not self._coming:
                raise DeviceError(f"no worker can restore {claim.film}: {reason}")
        log.warning("%s does not take part in %s: %s", worker.name, claim.film, reason)

    def has_others(self, claim: Claim, machines: Collection[str]) -> bool:
        """Whether a film can have a worker that is on none of these machines."""
        with self._lock:
            return any(worker.machine not in machines for worker in self._begun - claim.refused)

    @property
    def shared(self) -> bool:
        """Whether several films want workers."""
        with self._lock:
            return len(self._claims) > 1

    def close(self) -> None:
        """Dismiss all workers that are not at work."""
        with self._lock:
            for worker in (*self._coming, *self._idle):
                worker.dismiss()
            self._coming, self._idle = [], []

    def _try(self, claim: Claim) -> Worker | None:
        with self._lock:
            self._look()
            if not self._begun and not self._coming:
                raise DeviceError(f"workers cannot begin: {self._why}")
            free = [worker for worker in self._idle if worker not in claim.refused]
            if not free or claim is not self._first(free):
                return None
            self._idle.remove(free[0])
            claim.held += 1
            claim.waiting = False
            return free[0]

    def _first(self, free: list[Worker]) -> Claim:
        """Whose turn it is among the films that wait and can use one of the workers that are ``free``."""
        waiting = [claim for claim in self._claims if claim.waiting and not claim.refused.issuperset(free)]
        return max(waiting, key=lambda claim: (not claim.held, claim.left / (1 + claim.held)))

    def _look(self) -> None:
        """See who has begun, and replace who has ended."""
        for worker in list(self._coming):
            try:
                if not worker.has_begun():
                    continue
                self._begun.add(worker)
                self._idle.append(worker)
                self._failed = 0
            except LostError as error:
                self._failed, self._why = self._failed + 1, str(error)
                # One machine where none can begin must not end what others do.
                if self._failed <= _MAX_FAILED * self.size:
                    self._replace()
                elif self._begun:
                    log.warning("%s cannot begin, and is left out: %s", worker.name, error)
            self._coming.remove(worker)

    def _replace(self) -> None:
        self._hired += 1
        self._coming.append(self._hire(self._hired))
