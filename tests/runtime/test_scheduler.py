"""The scheduler: order, bounds, overlap, errors and endings."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterable, Iterator

import pytest

from vidrestore.runtime.profile import Profile
from vidrestore.runtime.scheduler import Stages

NAMES = ("decode", "detect", "align", "restore", "paste")


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def passing(items: Iterable[int]) -> Iterator[int]:
    yield from items


def chain(stage: Stages, source: Iterable[int], **instead) -> Iterator[int]:
    """As many stages as a run has; ``instead`` replaces the work of some by another."""
    items: Iterable[int] = source
    for name in NAMES:
        items = stage(instead.get(name, passing)(items), name)
    return items


@pytest.mark.parametrize("depth", [1, 2, 7])
def test_items_come_in_order_and_all(depth):
    with Stages(depth=depth) as stage:
        assert list(chain(stage, range(200))) == list(range(200))


def test_none_is_an_item_like_any_other():
    with Stages(depth=1) as stage:
        assert list(stage([None, 1, None], "source")) == [None, 1, None]


def test_no_more_than_depth_is_made_ahead():
    """A slow stage holds back every one before it."""
    made = []

    def source():
        for i in range(10**9):
            made.append(i)
            yield i

    with Stages(depth=3) as stage:
        items = chain(stage, source())
        for _ in range(10):
            next(items)
        time.sleep(0.3)
        # In each stage three wait and one is in its hands.
        assert len(made) == 10 + len(NAMES) * 4


def test_stages_work_at_the_same_time():
    def slow(items):
        for item in items:
            time.sleep(0.02)
            yield item

    began = time.perf_counter()
    with Stages(depth=4) as stage:
        assert len(list(chain(stage, range(20), **dict.fromkeys(NAMES, slow)))) == 20
    assert time.perf_counter() - began < 0.6 * 20 * 0.02 * len(NAMES)


@pytest.mark.parametrize("after", [0, 1, 30])
@pytest.mark.parametrize("killed", [*NAMES, "last"])
def test_what_a_stage_raises_ends_the_run(killed, after):
    """With its own error, and at once: what is in the queues is not worked on any more."""
    closed = threading.Event()

    def source():
        try:
            yield from range(10**9)
        finally:
            closed.set()

    def failing(items):
        for number, item in enumerate(items):
            if number == after:
                raise KeyError(killed)
            yield item

    def run():
        with Stages(depth=4) as stage:
            items = chain(stage, source(), **{killed: failing})
            for _ in failing(items) if killed == "last" else items:
                pass

    began = time.perf_counter()
    with pytest.raises(KeyError, match=killed):
        run()
    assert time.perf_counter() - began < 2
    # Where the first stage is the one that failed, its error holds what it iterated over.
    assert closed.is_set() or killed == "decode"


def test_an_error_does_not_wait_for_slow_stages():
    def failing(items):
        for number, item in enumerate(items):
            if number == 6:
                raise KeyError("lost")
            yield item

    worked = 0
    with pytest.raises(KeyError, match="lost"), Stages(depth=8) as stage:  # noqa: PT012
        for _ in stage(failing(range(100)), "source"):
            worked += 1
            time.sleep(0.1)
    assert worked < 4


def test_the_first_error_is_the_one_that_is_told():
    def failing(error):
        def work(items):
            try:
                next(iter(items))
                raise error
            finally:
                time.sleep(0.05)
            yield

        return work

    def run():
        with Stages(depth=2) as stage:
            list(chain(stage, range(9), decode=failing(KeyError("first")), restore=passing))

    with pytest.raises(KeyError, match="first"):
        run()


def test_an_interrupt_ends_a_run_that_waits():
    """A signal comes while the last stage waits for one that takes its time."""

    def slow(items):
        for item in items:
            time.sleep(0.05)
            yield item

    threading.Timer(0.3, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt), Stages(depth=2) as stage:
        list(chain(stage, range(10**9), detect=slow))
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_leaving_early_closes_every_stage(taken):
    ended = []

    def noting(name):
        def work(items):
            try:
                yield from items
            finally:
                ended.append(name)

        return work

    with Stages(depth=2) as stage:
        items = chain(stage, range(10**9), **{name: noting(name) for name in NAMES})
        for _ in range(taken):
            next(items)
        time.sleep(0.1)
    assert sorted(ended) == sorted(NAMES)


def test_the_profile_says_who_worked_and_who_waited():
    def slow(items):
        for item in items:
            time.sleep(0.05)
            yield item

    profile = Profile()
    with Stages(depth=2, last="encode", profile=profile) as stage:
        for _ in chain(stage, range(20), restore=slow):
            pass
    data = profile.data()
    stages = {entry["name"]: entry for entry in data["stages"]}
    assert list(stages) == [*NAMES, "encode"]
    assert all(entry["frames"] == data["frames"] == 20 for entry in stages.values())
    # Compared with each other, so that it holds on a machine that does other things, too.
    assert max(stages, key=lambda name: stages[name]["busy"]) == "restore"
    for before in ("decode", "detect", "align"):
        assert stages[before]["waits_for_room"] > 10 * stages["restore"]["waits_for_room"]
        assert stages[before]["queue"] > stages["restore"]["queue"]
    for behind in ("paste", "encode"):
        assert stages[behind]["waits_for_input"] > stages["restore"]["waits_for_input"]
    for entry in data["stages"]:
        total = entry["busy"] + entry["waits_for_input"] + entry["waits_for_room"]
        assert total <= data["wall"] + 0.05
