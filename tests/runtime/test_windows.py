"""Work across time sees what is within reach, in order, and holds no more."""

from __future__ import annotations

import pytest

from vidrestore.runtime.windows import windowed


def seen(part, around):
    return part, dict(around), [offset for offset, _ in around]


@pytest.mark.parametrize("reach", [1, 2, 5])
@pytest.mark.parametrize("length", [0, 1, 3, 12])
def test_each_part_meets_its_like_within_reach(reach, length):
    items = [(i, [("a", i), ("b", i)] if i % 3 else [("a", i)]) for i in range(length)]
    results = list(windowed(iter(items), seen, key=lambda part: part[0], reach=reach))
    assert [item for item, _ in results] == list(range(length))
    for i, parts in results:
        assert [part for part, _, _ in parts] == items[i][1]
        for (name, _), around, offsets in parts:
            near = [o for o in range(-reach, reach + 1) if o and 0 <= i + o < length]
            expected = {o: (name, i + o) for o in near if name == "a" or (i + o) % 3}
            assert around == expected
            assert offsets == sorted(offsets, key=abs)


def test_what_is_held_does_not_grow():
    taken = 0

    def items():
        nonlocal taken
        for i in range(100):
            taken += 1
            yield i, ["face"]

    for out, _ in windowed(items(), seen, key=lambda part: part, reach=4):
        assert taken <= out + 5


def test_work_does_not_hang_on_where_a_run_begins():
    items = [(i, [i]) for i in range(20)]
    work = {"key": lambda part: 0, "reach": 2}
    whole = dict(windowed(iter(items), seen, **work))
    piece = dict(windowed(iter(items[5:15]), seen, **work))
    assert all(piece[i] == whole[i] for i in range(7, 13))
