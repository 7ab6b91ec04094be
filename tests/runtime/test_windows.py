"""Work across time sees what is within reach, in order, and holds no more."""

from __future__ import annotations

import threading

import pytest

from vidrestore.runtime.windows import windowed


def seen(part, around):
    return part, dict(around), [offset for offset, _ in around]


@pytest.mark.parametrize("reach", [1, 2, 5])
@pytest.mark.parametrize("length", [0, 1, 3, 12])
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_each_part_meets_its_like_within_reach(reach, length, workers):
    items = [(i, [("a", i), ("b", i)] if i % 3 else [("a", i)]) for i in range(length)]
    results = list(windowed(iter(items), seen, key=lambda part: part[0], reach=reach, workers=workers))
    assert [item for item, _ in results] == list(range(length))
    for i, parts in results:
        assert [part for part, _, _ in parts] == items[i][1]
        for (name, _), around, offsets in parts:
            near = [o for o in range(-reach, reach + 1) if o and 0 <= i + o < length]
            expected = {o: (name, i + o) for o in near if name == "a" or (i + o) % 3}
            assert around == expected
            assert offsets == sorted(offsets, key=abs)


@pytest.mark.parametrize("workers", [0, 2])
def test_what_is_held_does_not_grow(workers):
    taken = 0

    def items():
        nonlocal taken
        for i in range(100):
            taken += 1
            yield i, ["face"]

    for out, _ in windowed(items(), seen, key=lambda part: part, reach=4, workers=workers):
        assert taken <= out + 5 + workers


@pytest.mark.parametrize("workers", [0, 2])
def test_of_what_had_its_turn_only_a_part_is_held(workers):
    items = [(i, [{"kept": i, "large": i}]) for i in range(9)]

    def past(part):
        return {"kept": part["kept"]}

    results = windowed(iter(items), seen, key=lambda part: 0, reach=2, workers=workers, keep=past)
    for i, [(part, around, _)] in results:
        assert part == {"kept": i, "large": i}
        for offset, other in around.items():
            whole = {"kept": i + offset, "large": i + offset}
            assert other == (past(whole) if offset < 0 else whole)


def test_workers_work_at_the_same_time():
    both = threading.Barrier(2, timeout=10)
    results = windowed(((i, [i]) for i in range(4)), lambda *_: both.wait(), key=int, reach=1, workers=2)
    assert sorted(len(parts) for _, parts in results) == [1] * 4


def test_an_error_in_a_worker_is_raised_and_no_thread_stays():
    def work(part, around):
        if part == 5:
            raise ArithmeticError("five")
        return part

    results = windowed(((i, [i]) for i in range(100)), work, key=lambda part: 0, reach=2, workers=2)
    with pytest.raises(ArithmeticError, match="five"):
        list(results)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("window")]


def test_closing_ends_the_workers():
    results = windowed(((i, [i]) for i in range(100)), seen, key=lambda part: 0, reach=2, workers=2)
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("window")]


def test_work_does_not_hang_on_where_a_run_begins():
    items = [(i, [i]) for i in range(20)]
    work = {"key": lambda part: 0, "reach": 2}
    whole = dict(windowed(iter(items), seen, **work))
    piece = dict(windowed(iter(items[5:15]), seen, **work))
    assert all(piece[i] == whole[i] for i in range(7, 13))
