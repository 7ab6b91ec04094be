"""Sliding windows: neighbours within reach, in order, with bounded memory."""

from __future__ import annotations

import threading

import pytest

from vidrestore.runtime.windows import windowed


def recorded(part, around):
    return part, dict(around), [offset for offset, _ in around]


@pytest.mark.parametrize("reach", [1, 2, 5])
@pytest.mark.parametrize("length", [0, 1, 3, 12])
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_each_part_has_its_neighbours_within_reach(reach, length, workers):
    items = [(i, [("a", i), ("b", i)] if i % 3 else [("a", i)]) for i in range(length)]
    results = list(windowed(iter(items), recorded, key=lambda part: part[0], reach=reach, workers=workers))
    assert [item for item, _ in results] == list(range(length))
    for i, parts in results:
        assert [part for part, _, _ in parts] == items[i][1]
        for (name, _), around, offsets in parts:
            near = [o for o in range(-reach, reach + 1) if o and 0 <= i + o < length]
            expected = {o: (name, i + o) for o in near if name == "a" or (i + o) % 3}
            assert around == expected
            assert offsets == sorted(offsets, key=abs)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_item_may_look_less_far(workers):
    items = [(i, [("a", i)]) for i in range(9)]
    reach_of = {4: 3, 5: 1}
    results = windowed(
        items,
        recorded,
        key=lambda part: part[0],
        reach=3,
        workers=workers,
        reach_of=lambda item: reach_of.get(item, 0),
    )
    offsets = {item: sorted(parts[0][2]) for item, parts in results}
    assert offsets == {item: [] for item in range(9)} | {4: [-3, -2, -1, 1, 2, 3], 5: [-1, 1]}


@pytest.mark.parametrize("workers", [0, 2])
def test_the_number_of_items_held_is_bounded(workers):
    taken = 0

    def items():
        nonlocal taken
        for i in range(100):
            taken += 1
            yield i, ["face"]

    for out, _ in windowed(items(), recorded, key=lambda part: part, reach=4, workers=workers):
        assert taken <= out + 5 + workers


@pytest.mark.parametrize("workers", [0, 2])
def test_past_parts_are_reduced_to_what_their_neighbours_need(workers):
    items = [(i, [{"kept": i, "large": i}]) for i in range(9)]

    def keep(part):
        return {"kept": part["kept"]}

    results = windowed(iter(items), recorded, key=lambda part: 0, reach=2, workers=workers, keep=keep)
    for i, [(part, around, _)] in results:
        assert part == {"kept": i, "large": i}
        for offset, other in around.items():
            whole = {"kept": i + offset, "large": i + offset}
            assert other == (keep(whole) if offset < 0 else whole)


def test_workers_work_at_the_same_time():
    both = threading.Barrier(2, timeout=10)
    results = windowed(((i, [i]) for i in range(4)), lambda *_: both.wait(), key=int, reach=1, workers=2)
    assert sorted(len(parts) for _, parts in results) == [1] * 4


def test_an_error_in_a_worker_is_raised_and_threads_end():
    def work(part, around):
        if part == 5:
            raise ArithmeticError("five")
        return part

    results = windowed(((i, [i]) for i in range(100)), work, key=lambda part: 0, reach=2, workers=2)
    with pytest.raises(ArithmeticError, match="five"):
        list(results)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("window")]


def test_closing_ends_the_workers():
    results = windowed(((i, [i]) for i in range(100)), recorded, key=lambda part: 0, reach=2, workers=2)
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("window")]


def test_results_do_not_depend_on_where_a_run_begins():
    items = [(i, [i]) for i in range(20)]
    work = {"key": lambda part: 0, "reach": 2}
    whole = dict(windowed(iter(items), recorded, **work))
    part = dict(windowed(iter(items[5:15]), recorded, **work))
    assert all(part[i] == whole[i] for i in range(7, 13))
