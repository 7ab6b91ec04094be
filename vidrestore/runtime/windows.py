"""Sliding windows: work on each part of an item together with its counterparts in neighbouring items."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from .cuda_streams import on_current_stream

Item = TypeVar("Item")
Part = TypeVar("Part")
Result = TypeVar("Result")

#: A part, and its counterparts in neighbouring items, each with its offset in items.
Neighbourhood = tuple[Part, list[tuple[int, Part]]]


def windowed(
    items: Iterable[tuple[Item, Sequence[Part]]],
    work: Callable[[Part, list[tuple[int, Part]]], Result],
    *,
    key: Callable[[Part], Hashable],
    reach: int,
    workers: int = 0,
    keep: Callable[[Part], Part] = lambda part: part,
    reach_of: Callable[[Item], int] | None = None,
) -> Iterator[tuple[Item, list[Result]]]:
    """Yield each item with the results of ``work(part, neighbours)`` for each of its parts.

    Items come out in order, ``reach`` items after they went in, and memory is bounded: at most
    ``2 * reach + 1`` items' parts are held.

    Args:
        items: Items with their parts.
        work: Called with a part and its neighbours: pairs (offset in items, part), nearest first.
        key: Parts in different items are neighbours if they have the same key. Keys are unique in an item.
        reach: Number of items to each side that neighbours come from.
        workers: If not 0, this many threads process as many items concurrently, and output lags by as many
            more items.
        keep: Returns what its later neighbours need of a part whose own turn is over; the rest is released.
        reach_of: Returns how many items to each side the parts of an item have neighbours from, at most
            ``reach``.
    """
    neighbourhoods = _neighbourhoods(items, key, reach, keep, reach_of or (lambda item: reach))
    if workers:
        yield from _in_threads(neighbourhoods, work, workers)
    else:
        for item, parts in neighbourhoods:
            yield item, [work(part, neighbours) for part, neighbours in parts]


def _neighbourhoods(
    items: Iterable[tuple[Item, Sequence[Part]]],
    key: Callable[[Part], Hashable],
    reach: int,
    keep: Callable[[Part], Part],
    reach_of: Callable[[Item], int],
) -> Iterator[tuple[Item, list[Neighbourhood]]]:
    """Yield each item with its parts and their neighbours."""
    waiting: deque[Item] = deque()
    held: deque[dict[Hashable, Part]] = deque()  # parts of the ``done`` previous items and those waiting
    offsets = sorted((o for o in range(-reach, reach + 1) if o), key=abs)
    done = 0

    def result(index: int) -> tuple[Item, list[Neighbourhood]]:
        item = waiting.popleft()
        own = reach_of(item)
        near = [(o, held[index + o]) for o in offsets if abs(o) <= own and 0 <= index + o < len(held)]
        parts = held[index]
        held[index] = {name: keep(part) for name, part in parts.items()}
        return item, [
            (part, [(o, others[name]) for o, others in near if name in others])
            for name, part in parts.items()
        ]

    for item, parts in items:
        waiting.append(item)
        held.append({key(part): part for part in parts})
        if len(held) > done + reach:
            yield result(done)
            if done == reach:
                held.popleft()
            else:
                done += 1
    for index in range(done, len(held)):
        yield result(index)


def _in_threads(
    neighbourhoods: Iterable[tuple[Item, list[Neighbourhood]]],
    work: Callable[[Part, list[tuple[int, Part]]], Result],
    workers: int,
) -> Iterator[tuple[Item, list[Result]]]:
    """Yield each item with its results, computed by ``workers`` threads."""
    waiting: deque[tuple[Item, list[Future[Result]]]] = deque()

    def first() -> tuple[Item, list[Result]]:
        item, results = waiting.popleft()
        return item, [result.result() for result in results]

    work = on_current_stream(work)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="window")
    try:
        for item, parts in neighbourhoods:
            waiting.append((item, [pool.submit(work, *part) for part in parts]))
            if len(waiting) > workers:
                yield first()
        while waiting:
            yield first()
    finally:
        pool.shutdown(cancel_futures=True)
