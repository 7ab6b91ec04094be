"""Batches fill across items, and change nothing but the size of the work."""

from __future__ import annotations

import random

import pytest

from vidrestore.runtime.batching import fill_batches


def run(counts: list[int], size: int, hold: int) -> tuple[list, list[int]]:
    sizes: list[int] = []

    def work(parts):
        sizes.append(len(parts))
        return [f"done {part}" for part in parts]

    items = [(i, [f"{i}.{k}" for k in range(count)]) for i, count in enumerate(counts)]
    return list(fill_batches(iter(items), work, size=size, hold=hold)), sizes


@pytest.mark.parametrize("size", [1, 2, 4, 7])
@pytest.mark.parametrize("hold", [1, 4, 100])
def test_every_item_once_in_order_with_its_own_results(size, hold):
    rng = random.Random(size * 100 + hold)
    counts = [rng.choice([0, 0, 1, 1, 2, 5]) for _ in range(60)]
    results, sizes = run(counts, size, hold)
    assert [item for item, _ in results] == list(range(60))
    for (item, its), count in zip(results, counts, strict=True):
        assert its == [f"done {item}.{k}" for k in range(count)]
    assert max(sizes) <= size
    assert sum(sizes) == sum(counts)


def test_batches_are_full_where_they_can_be():
    assert run([1] * 10, 4, 100)[1] == [4, 4, 2]
    assert run([3, 3, 3], 4, 100)[1] == [4, 4, 1]


def test_items_without_parts_do_not_wait():
    def items():
        yield 0, []
        raise AssertionError("the next item was asked for before the first came out")

    assert next(fill_batches(items(), list, size=4, hold=8)) == (0, [])


def test_no_more_than_hold_items_wait():
    seen = []

    def items():
        for i in range(20):
            seen.append(i)
            yield i, ["face"] if i == 0 else []

    batches = fill_batches(items(), list, size=4, hold=3)
    assert next(batches)[0] == 0
    assert len(seen) == 4
