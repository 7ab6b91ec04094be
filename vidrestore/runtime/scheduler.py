"""The scheduler: stages that run concurrently, with a bounded queue after each."""

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
    """Raised in a stage that waits, once the run has ended."""


class Stages:
    """A chain of stages. Each has its own thread, except the last one, which is the caller's loop.

        with Stages(depth=4, last="encode") as stage:
            frames = stage(decoder, "decode")
            restored = stage(restore(frames), "restore")
            for frame in restored: ...

    A stage waits once it is ``depth`` items ahead of the next one, so at most those, and the one that it
    works on, are held. An exception in any stage is raised at once in the last one, and all other stages end
    as soon as they wait. Leaving the context ends all stages, each closing the generator that it iterates
    over, before it returns. On a CUDA device, each stage has its own stream for work on the device of
    ``profile``.
    """

    def __init__(
        self, *, depth: int = QUEUE_DEPTH, last: str = "last", profile: Profile | None = None
    ) -> None:
        self.depth = depth
        self.profile = profile or Profile()
        self._last = StageTimes(last)
        self._threads: list[threading.Thread] = []
        #: Shared by all queues: a stage waits for either neighbour or for the end of the run.
        self._changed = threading.Condition()
        self._stopped = False
        self._error: BaseException | None = None
        self._began = 0.0

    def __call__(self, items: Iterable[T], name: str, *, urgent: bool = True) -> Iterator[T]:
        """Start a stage: iterate over ``items`` in a thread called ``name``; return an iterator over them.

        On a CUDA device, the work of ``urgent`` stages has priority over that of the others.
        """
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

    def _raise_if_stopped(self) -> None:
        """If the run has ended, raise ``_Stopped`` in the threads of stages, and its error in any other."""
        if self._stopped:
            in_stage = threading.current_thread() in self._threads
            raise self._error if self._error and not in_stage else _Stopped


class _Queue(Generic[T]):
    """The queue between two stages: one puts items, the other iterates over them."""

    def __init__(self, stages: Stages, times: StageTimes) -> None:
        self.times = times
        self._stages = stages
        self._changed = stages._changed
        self._device = stages.profile.device
        #: Items, each with the event that follows the work on the device that made it.
        self._items: deque[tuple[T, Any]] = deque()
        self._ended = False

    def put(self, item: T) -> None:
        times, began = self.times, time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: len(self._items) < self._stages.depth or self._stages._stopped)
            self._stages._raise_if_stopped()
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
            self._stages._raise_if_stopped()
            times.awaited += time.perf_counter() - began
            if not self._items:
                raise StopIteration
            item, event = self._items.popleft()
            self._changed.notify_all()
        wait_event(item, event, self._device)
        return item
