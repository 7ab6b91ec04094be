"""The bounded queue between two stages: order, bounds, errors and endings."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from vidrestore.runtime.ahead import ahead


def test_items_come_in_order_and_all():
    assert list(ahead(range(100), 3)) == list(range(100))


def test_no_more_than_depth_is_made_ahead():
    made = []

    def source():
        for i in range(50):
            made.append(i)
            yield i

    with closing(ahead(source(), 3)) as items:
        assert next(items) == 0
        time.sleep(0.3)
        # One taken, three waiting, one in the producer's hands.
        assert len(made) <= 5


def test_an_error_arrives_behind_what_came_before_it():
    def source():
        yield 1
        raise KeyError("lost")

    items = ahead(source(), 2)
    assert next(items) == 1
    with pytest.raises(KeyError, match="lost"):
        next(items)


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_closing_ends_the_thread_and_closes_the_source(taken):
    closed = threading.Event()

    def source():
        try:
            yield from range(10**9)
        finally:
            closed.set()

    before = threading.active_count()
    items = ahead(source(), 2)
    for _ in range(taken):
        next(items)
    items.close()
    assert closed.is_set() == (taken > 0)  # one that never began has nothing to close
    assert threading.active_count() == before


def test_stages_close_one_after_another():
    """A chain that is left in the middle ends every stage, the last first."""
    ended = []

    def source():
        try:
            yield from range(10**9)
        finally:
            ended.append("source")

    def double(items):
        try:
            for item in items:
                yield 2 * item
        finally:
            ended.append("double")

    with closing(ahead(source(), 2)) as first, closing(ahead(double(first), 2)) as second:
        assert [next(second), next(second)] == [0, 2]
    assert ended == ["double", "source"]


def test_none_is_an_item_like_any_other():
    assert list(ahead([None, 1, None], 1)) == [None, 1, None]
