"""Batches that fill across items: one frame has no face, the next has five, a network wants four."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Part = TypeVar("Part")
Result = TypeVar("Result")


def fill_batches(
    items: Iterable[tuple[Item, Sequence[Part]]],
    work: Callable[[list[Part]], Sequence[Result]],
    *,
    size: int,
    hold: int,
) -> Iterator[tuple[Item, list[Result]]]:
    """Give ``work`` the items' parts, ``size`` at a time, and yield each item with the results of its parts.

    Items come out in order, each once. At most ``hold`` of them wait for a batch to fill: then a
    smaller one is worked on.
    """
    held: deque[tuple[Item, Sequence[Part]]] = deque()
    waiting: deque[Part] = deque()
    done: deque[Result] = deque()

    def run(count: int) -> None:
        batch = [waiting.popleft() for _ in range(count)]
        results = work(batch)
        if len(results) != count:
            raise ValueError(f"{count} parts were worked on, and {len(results)} results came back")
        done.extend(results)

    for item, parts in items:
        held.append((item, parts))
        waiting.extend(parts)
        while len(waiting) >= size:
            run(size)
        if waiting and len(held) > hold:
            run(len(waiting))
        while held and len(held[0][1]) <= len(done):
            first, its = held.popleft()
            yield first, [done.popleft() for _ in its]
    if waiting:
        run(len(waiting))
    for first, its in held:
        yield first, [done.popleft() for _ in its]
