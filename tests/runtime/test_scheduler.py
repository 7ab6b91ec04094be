"""The scheduler: order, bounds, concurrency, errors, and how runs end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace

import pytest

from tests.support.platforms import posix
from tests.support.watched_condition import WatchedCondition, wait_until
from vidrestore.runtime import scheduler
from vidrestore.runtime.profile import Profile
from vidrestore.runtime.scheduler import Stages

NAMES = ("decode", "detect", "align", "restore", "paste")
#: More items than any test would get through: a run that does not end by itself.
ENDLESS = range(10**9)
#: Seconds after which a test that hangs fails.
TIMEOUT = 60

Work = Callable[[Iterable[int]], Iterator[int]]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def watched(stages: Stages) -> WatchedCondition:
    """Replace the condition on which the stages wait, before the first of them starts."""
    condition = WatchedCondition()
    stages._changed = condition
    return condition


def passing(items: Iterable[int]) -> Iterator[int]:
    yield from items


def chain(stage: Stages, source: Iterable[int], **works: Work) -> Iterator[int]:
    """Start as many stages as a run has. ``works`` replaces the work of some of them."""
    items: Iterable[int] = source
    for name in NAMES:
        items = stage(works.get(name, passing)(items), name)
    return iter(items)


@pytest.mark.parametrize("depth", [1, 2, 7])
def test_all_items_come_in_order(depth):
    with Stages(depth=depth) as stage:
        assert list(chain(stage, range(200))) == list(range(200))


def test_none_is_an_item_like_any_other():
    with Stages(depth=1) as stage:
        assert list(stage([None, 1, None], "source")) == [None, 1, None]


def test_a_slow_stage_holds_back_those_before_it():
    made = []

    def source():
        for i in ENDLESS:
            made.append(i)
            yield i

    with Stages(depth=3) as stage:
        condition = watched(stage)
        items = chain(stage, source())
        for _ in range(10):
            next(items)
        wait_until(lambda: condition.waiting == len(NAMES))
        # Behind each stage three items wait, and the stage itself holds one.
        assert len(made) == 10 + len(NAMES) * 4


def test_stages_work_at_the_same_time():
    """Every stage waits, with another item in its hands, until all the others are at work too."""
    all_at_work = threading.Barrier(len(NAMES), timeout=TIMEOUT)

    def meeting(position: int) -> Work:
        def work(items):
            for number, item in enumerate(items):
                if number == len(NAMES) - 1 - position:
                    all_at_work.wait()
                yield item

        return work

    with Stages(depth=4) as stage:
        works = {name: meeting(position) for position, name in enumerate(NAMES)}
        assert len(list(chain(stage, range(20), **works))) == 20


@pytest.mark.parametrize("after", [0, 1, 30])
@pytest.mark.parametrize("failed", [*NAMES, "last"])
def test_an_error_in_any_stage_ends_the_run(failed, after):
    closed = threading.Event()

    def source():
        try:
            yield from ENDLESS
        finally:
            closed.set()

    def failing(items):
        for number, item in enumerate(items):
            if number == after:
                raise KeyError(failed)
            yield item

    def run():
        with Stages(depth=4) as stage:
            items = chain(stage, source(), **{failed: failing})
            for _ in failing(items) if failed == "last" else items:
                pass

    with pytest.raises(KeyError, match=failed):
        run()
    # If the first stage is the one that failed, its error still refers to what it iterated over.
    assert closed.is_set() or failed == "decode"


def test_after_an_error_items_in_queues_are_not_processed():
    def failing(items):
        for number, item in enumerate(items):
            if number == 6:
                raise KeyError("lost")
            yield item

    processed = 0
    with pytest.raises(KeyError, match="lost"), Stages(depth=8) as stage:  # noqa: PT012
        for _ in stage(failing(range(100)), "source"):
            processed += 1
            for thread in stage._threads:
                thread.join(TIMEOUT)  # it has failed, and left five items in the queue
    assert processed <= 1


def test_the_first_of_several_errors_is_raised():
    def failing_first(items):
        next(iter(items))
        raise KeyError("first")
        yield

    def failing_as_it_ends(items):
        try:
            yield from items
        finally:
            raise ValueError("second")

    def run():
        with Stages(depth=2) as stage:
            list(chain(stage, range(9), decode=failing_first, restore=failing_as_it_ends))

    with pytest.raises(KeyError, match="first"):
        run()


@posix
def test_an_interrupt_ends_a_run_that_waits():
    """The signal arrives while the last stage waits for another one that is at work."""
    interrupted = threading.Event()

    def working(items):
        for item in items:
            interrupted.wait(TIMEOUT)
            yield item

    def interrupt(condition: WatchedCondition) -> None:
        assert condition.main_waits.wait(TIMEOUT)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), Stages(depth=2) as stage:  # noqa: PT012
        interrupter = threading.Thread(target=interrupt, args=(watched(stage),))
        interrupter.start()
        try:
            list(chain(stage, ENDLESS, detect=working))
        finally:
            interrupted.set()
    interrupter.join()


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_leaving_early_closes_every_stage(taken):
    begun, ended = threading.Semaphore(0), []

    def recording(name: str) -> Work:
        def work(items):
            begun.release()
            try:
                yield from items
            finally:
                ended.append(name)

        return work

    with Stages(depth=2) as stage:
        items = chain(stage, ENDLESS, **{name: recording(name) for name in NAMES})
        for _ in range(taken):
            next(items)
        for _ in NAMES:
            assert begun.acquire(timeout=TIMEOUT)
    assert sorted(ended) == sorted(NAMES)


def test_the_profile_shows_which_stage_works_and_which_wait(monkeypatch):
    """The clock advances only while ``restore`` works and every other stage waits or has ended."""
    clock = SimpleNamespace(now=1.0)
    monkeypatch.setattr(scheduler, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    profile = Profile()
    with Stages(depth=2, last="encode", profile=profile) as stage:
        condition = watched(stage)

        def all_others_wait() -> bool:
            alive = sum(thread.is_alive() for thread in stage._threads)
            return condition.waiting == alive  # the main thread instead of this one

        def slow(items):
            for item in items:
                wait_until(all_others_wait)
                clock.now += 1.0
                yield item

        for _ in chain(stage, range(20), restore=slow):
            pass
    data = profile.data()
    stages = {entry["name"]: entry for entry in data["stages"]}
    assert list(stages) == [*NAMES, "encode"]
    assert all(entry["frames"] == data["frames"] == 20 for entry in stages.values())
    assert data["wall"] == 20
    assert {name: entry["busy"] for name, entry in stages.items()} == dict.fromkeys(stages, 0) | {
        "restore": 20
    }
    for name in ("decode", "detect", "align"):
        # Three items fit behind each stage up to the slow one, so its wait is shorter by that much.
        assert stages[name]["waits_for_input"] == 0
        assert 0 < stages[name]["waits_for_room"] < 20
        assert stages[name]["queue"] > stages["restore"]["queue"]
    assert stages["restore"]["waits_for_input"] == stages["restore"]["waits_for_room"] == 0
    for name in ("paste", "encode"):
        assert stages[name]["waits_for_input"] == 20
        assert stages[name]["waits_for_room"] == 0


def test_a_consumer_in_another_thread_gets_the_error():
    def failing(items: Iterable[int]) -> Iterator[int]:
        yield from items
        raise ValueError("broken")

    errors: list[BaseException] = []

    def consume(items: Iterator[int]) -> None:
        try:
            list(items)
        except BaseException as error:
            errors.append(error)

    with Stages() as stage:
        consumer = threading.Thread(target=consume, args=(chain(stage, range(3), detect=failing),))
        consumer.start()
        consumer.join(TIMEOUT)
    assert [str(error) for error in errors] == ["broken"]
