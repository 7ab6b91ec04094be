"""The scheduler: stages that work at the same time, with a bounded queue behind each."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import Any, Generic, TypeVar

from .cuda_streams import own_stream, record_event, wait_event
from .profile import Profile, StageTimes

T = TypeVar("T")

#: Items that each queue between two stages holds: enough to even out their pace.
QUEUE_DEPTH = 4


class _Stopped(BaseException):
    """Raised in a stage that waits, once the run has ended without it."""


class Stages:
    """A chain of stages, the last of which is whoever iterates over it; each other has its own thread.

        with Stages(depth=4, last="encode") as stage:
            frames = stage(decoder, "decode")
            restored = stage(restore(frames), "restore")
            for frame in restored: ...

    A stage that is ``depth`` items ahead of the next one waits, so no more than that (and the one in its
    hands) are held. What a stage raises is raised in the last one at once, and every other ends where it
    waits. Leaving the context ends all of them, each closing what it iterates over, before it returns.
    What a stage does on the profile's device, if that is a CUDA one, goes into a stream of its own.
    """

    def __init__(
        self, *, depth: int = QUEUE_DEPTH, last: str = "last", profile: Profile | None = None
    ) -> None:
        self.depth = depth
        self.profile = profile or Profile()
        self._last = StageTimes(last)
        self._threads: list[threading.Thread] = []
        self._home = threading.get_ident()
        #: One condition for all: a stage waits for either neighbour, or for the end.
        self._changed = threading.Condition()
        self._stopped = False
        self._error: BaseException | None = None
        self._began = 0.0

    def __call__(self, items: Iterable[T], name: str, *, urgent: bool = True) -> Iterator[T]:
        """``items``, made in a thread called ``name`` from now on. On a CUDA device the work of stages that
        are not ``urgent`` comes after the others': there is much of it."""
        self._began = self._began or time.perf_counter()
        queue = _Queue[T](self, self.profile.stage(name, self.depth))
        thread = threading.Thread(target=self._run, args=(items, queue, urgent), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return queue

    def __enter__(self) -> Stages:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        for thread in self._threads:
            thread.join()
        if self._threads:
            self._last.seconds = time.perf_counter() - self._began
            self.profile.finish(self._last)

    def _run(self, items: Iterable[T], queue: _Queue[T], urgent: bool) -> None:
        began = time.perf_counter()
        iterator = iter(items)
        try:
            with own_stream(self.profile.device, urgent=urgent):
                try:
                    for item in iterator:
                        queue.put(item)
                finally:
                    if isinstance(iterator, Generator):
                        iterator.close()
            queue.end()
        except _Stopped:
            pass
        except BaseException as error:
            self._stop(error)
        finally:
            queue.times.seconds = time.perf_counter() - began

    def _stop(self, error: BaseException | None = None) -> None:
        with self._changed:
            if not self._stopped:
                self._error = error
            self._stopped = True
            self._changed.notify_all()

    def _go_on(self) -> None:
        """Raise what ended the run, if anything has."""
        if self._stopped:
            raise self._error if self._error and threading.get_ident() == self._home else _Stopped


class _Queue(Generic[T]):
    """What lies between two stages: one puts, the other iterates."""

    def __init__(self, stages: Stages, times: StageTimes) -> None:
        self.times = times
        self._stages = stages
        self._changed = stages._changed
        self._device = stages.profile.device
        #: Each with how far its maker's work on the device was.
        self._items: deque[tuple[T, Any]] = deque()
        self._ended = False

    def put(self, item: T) -> None:
        times, began = self.times, time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: len(self._items) < self._stages.depth or self._stages._stopped)
            self._stages._go_on()
            times.blocked += time.perf_counter() - began
            times.items += 1
            self._items.append((item, record_event(self._device)))
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        times, began = self.times, time.perf_counter()
        with self._changed:
            times.queued += len(self._items)
            self._changed.wait_for(lambda: self._items or self._ended or self._stages._stopped)
            self._stages._go_on()
            times.awaited += time.perf_counter() - began
            if not self._items:
                raise StopIteration
            item, marked = self._items.popleft()
            self._changed.notify_all()
        wait_event(item, marked, self._device)
        return item
