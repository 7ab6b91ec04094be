"""Portions that failed, until they are done by another worker, or have failed too often."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ..errors import DeviceError
from ..stages.portion import Portion
from .crew import LostError

#: Times that one segment may fail before the run ends with its error.
MAX_FAILED = 2
#: Workers that may end at one segment before the run ends.
MAX_LOST = 5


@dataclass
class Work:
    """A portion that is to be done, or done again."""

    portion: Portion
    avoid: set[str] = field(default_factory=set)  #: machines that it failed on


class Retries:
    """Keeps what is to be done again, and counts what went wrong at each segment."""

    def __init__(self, film: str) -> None:
        """``film`` is its name, for messages."""
        self._film = film
        self._waiting = deque[Work]()
        self._failed = Counter[int]()  # by the first frame of a segment
        self._lost = Counter[int]()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, work: Work) -> None:
        """What was not begun is to be done next."""
        self._waiting.appendleft(work)

    def take(self, machine: str, has_others: Callable[[Collection[str]], bool]) -> Work | None:
        """What a worker of ``machine`` is to do again: nothing that failed there, as long as it can be given
        to another: ``has_others`` says whether there are workers on none of some machines."""
        for work in self._waiting:
            if machine not in work.avoid or not has_others(work.avoid):
                self._waiting.remove(work)
                return work
        return None

    def failed(self, work: Work, machine: str, error: Exception) -> None:
        """A portion failed on a machine. Raises ``error`` if its first segment failed too often."""
        first = work.portion.frames.start
        self._failed[first] += 1
        if self._failed[first] >= MAX_FAILED:
            raise error
        work.avoid.add(machine)
        self._put_again(work)

    def lost(self, work: Work, error: LostError) -> None:
        """A worker ended while it restored a portion. Raises DeviceError if too many ended at its first
        segment."""
        first = work.portion.frames.start
        self._lost[first] += 1
        if self._lost[first] >= MAX_LOST:
            last = min(first + work.portion.length, work.portion.frames.stop) - 1
            raise DeviceError(
                f"workers ended {MAX_LOST} times while they restored frames {first} to {last} of "
                f"{self._film}: {error}"
            )
        self._put_again(work)

    def _put_again(self, work: Work) -> None:
        """The first segment is tried by itself: it may be another that makes it fail."""
        frames, first = work.portion.frames, work.portion.frames.start
        if rest := range(first + work.portion.length, frames.stop):
            self.put(Work(work.portion.part(rest)))
            work.portion = work.portion.part(range(first, rest.start))
        self.put(work)
