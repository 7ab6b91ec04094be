"""Work that looks across time: each part of an item together with what is like it in the items around."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from .cuda_streams import on_current_stream

Item = TypeVar("Item")
Part = TypeVar("Part")
Result = TypeVar("Result")

#: A part, and those of its key around it, each with its offset.
Seen = tuple[Part, list[tuple[int, Part]]]


def windowed(
    items: Iterable[tuple[Item, Sequence[Part]]],
    work: Callable[[Part, list[tuple[int, Part]]], Result],
    *,
    key: Callable[[Part], Hashable],
    reach: int,
    workers: int = 0,
    keep: Callable[[Part], Part] = lambda part: part,
) -> Iterator[tuple[Item, list[Result]]]:
    """Yield each item with ``work(part, around)`` for each of its parts.

    ``around`` are the parts of the same key in the ``reach`` items before and behind it, each with its
    offset, nearest first. A key occurs once in an item. Items come out in order, ``reach`` of them later
    than they came, and the parts of as many more are held, so what is held does not grow. With ``workers``,
    so many threads work on the parts of as many items at a time, which come out so much later. ``keep``
    returns what others need of a part that has had its own turn: the rest of it is not held any longer.
    """
    seen = _seen(items, key, reach, keep)
    if workers:
        yield from _worked_on(seen, work, workers)
    else:
        for item, parts in seen:
            yield item, [work(part, around) for part, around in parts]


def _seen(
    items: Iterable[tuple[Item, Sequence[Part]]],
    key: Callable[[Part], Hashable],
    reach: int,
    keep: Callable[[Part], Part],
) -> Iterator[tuple[Item, list[Seen]]]:
    """Each item with its parts, as they are given to the work."""
    waiting: deque[Item] = deque()
    held: deque[dict[Hashable, Part]] = deque()  # of those waiting and of ``done`` before them
    offsets = sorted((o for o in range(-reach, reach + 1) if o), key=abs)
    done = 0

    def result(place: int) -> tuple[Item, list[Seen]]:
        near = [(o, held[place + o]) for o in offsets if 0 <= place + o < len(held)]
        its = held[place]
        held[place] = {name: keep(part) for name, part in its.items()}
        return waiting.popleft(), [
            (part, [(o, others[name]) for o, others in near if name in others]) for name, part in its.items()
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
    for place in range(done, len(held)):
        yield result(place)


def _worked_on(
    seen: Iterable[tuple[Item, list[Seen]]],
    work: Callable[[Part, list[tuple[int, Part]]], Result],
    workers: int,
) -> Iterator[tuple[Item, list[Result]]]:
    """Each item with its results, by so many threads."""
    waiting: deque[tuple[Item, list[Future[Result]]]] = deque()

    def first() -> tuple[Item, list[Result]]:
        item, results = waiting.popleft()
        return item, [result.result() for result in results]

    work = on_current_stream(work)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="window")
    try:
        for item, parts in seen:
            waiting.append((item, [pool.submit(work, *part) for part in parts]))
            if len(waiting) > workers:
                yield first()
        while waiting:
            yield first()
    finally:
        pool.shutdown(cancel_futures=True)
