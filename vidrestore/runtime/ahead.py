"""A bounded queue between two stages: the earlier one runs in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")

#: Seconds after which a stage that waits for room looks whether it is still wanted.
_PATIENCE = 0.1


def ahead(items: Iterable[T], depth: int, name: str = "stage") -> Generator[T]:
    """Yield ``items``, computed up to ``depth`` ahead in a thread.

    A slow consumer makes the producer wait, so no more than ``depth`` items (and the one in its hands)
    are held. What the producer raises is raised here; closing this generator ends the producer, and
    closes ``items``, before it returns.
    """
    ready: queue.Queue[tuple[bool, object]] = queue.Queue(depth)
    unwanted = threading.Event()

    def offer(entry: tuple[bool, object]) -> bool:
        while not unwanted.is_set():
            try:
                ready.put(entry, timeout=_PATIENCE)
            except queue.Full:
                continue
            return True
        return False

    def produce() -> None:
        iterator = iter(items)
        try:
            for item in iterator:
                if not offer((True, item)):
                    break
            else:
                offer((False, None))
        except BaseException as error:
            offer((False, error))
        finally:
            if isinstance(iterator, Generator):
                iterator.close()

    thread = threading.Thread(target=produce, name=name, daemon=True)
    thread.start()
    try:
        while True:
            more, item = ready.get()
            if more:
                yield item
            elif item is None:
                return
            else:
                raise item
    finally:
        unwanted.set()
        thread.join()
