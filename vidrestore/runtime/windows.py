"""Work that looks across time: each part of an item together with what is like it in the items around."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Part = TypeVar("Part")
Result = TypeVar("Result")


def windowed(
    items: Iterable[tuple[Item, Sequence[Part]]],
    work: Callable[[Part, list[tuple[int, Part]]], Result],
    *,
    key: Callable[[Part], Hashable],
    reach: int,
) -> Iterator[tuple[Item, list[Result]]]:
    """Yield each item with ``work(part, around)`` for each of its parts.

    ``around`` are the parts of the same key in the ``reach`` items before and behind it, each with its
    offset, nearest first. A key occurs once in an item. Items come out in order, ``reach`` of them later
    than they came; as many more are held, so what is held does not grow.
    """
    held: deque[tuple[Item, dict[Hashable, Part]]] = deque()
    offsets = sorted((o for o in range(-reach, reach + 1) if o), key=abs)
    done = 0  # of those held, how many have come out

    def result(place: int) -> tuple[Item, list[Result]]:
        item, parts = held[place]
        near = [(o, held[place + o][1]) for o in offsets if 0 <= place + o < len(held)]
        return item, [
            work(part, [(o, others[name]) for o, others in near if name in others])
            for name, part in parts.items()
        ]

    for item, parts in items:
        held.append((item, {key(part): part for part in parts}))
        if len(held) > done + reach:
            yield result(done)
            if done == reach:
                held.popleft()
            else:
                done += 1
    for place in range(done, len(held)):
        yield result(place)
