"""Who works for which film: fairly, without those that cannot, and with others for those that end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from vidrestore.cluster.crew import _MAX_FAILED, Claim, Crew, LostError
from vidrestore.errors import DeviceError


class Hand:
    """A worker that does nothing."""

    def __init__(self, number: int, begins: bool | Exception = True) -> None:
        self.name = self.machine = f"worker {number}"
        self.begins, self.dismissed = begins, False

    def has_begun(self) -> bool:
        if isinstance(self.begins, Exception):
            raise self.begins
        return self.begins

    def dismiss(self) -> None:
        self.dismissed = True


def crew(size: int, hire: Any = Hand) -> Crew:
    return Crew(hire, size)


def enter(made: Crew, name: str, left: int) -> Claim:
    claim = Claim(name, left)
    made.enter(claim)
    return claim


def acquire(made: Crew, claim: Claim) -> Any:
    return asyncio.run(made.acquire(claim))


def test_each_film_gets_a_worker_first_then_those_with_the_most_left():
    made = crew(6)
    long, short = enter(made, "long", 900), enter(made, "short", 100)
    turns = []
    for _ in range(6):
        long.waiting = short.waiting = True
        worker = made._try(long)
        turns.append("long" if worker else "short")
        if not worker:
            assert made._try(short)
    assert turns == ["long", "short", "long", "long", "long", "long"]


def test_a_worker_that_is_free_again_is_handed_out_again():
    made = crew(1)
    claim = enter(made, "film", 1)
    worker = acquire(made, claim)
    assert claim.held == 1
    made.release(worker, claim)
    assert claim.held == 0
    assert acquire(made, claim) is worker


def test_another_takes_the_place_of_one_that_ended():
    made = crew(1)
    claim = enter(made, "film", 1)
    first = acquire(made, claim)
    made.lose(first, claim)
    second = acquire(made, claim)
    assert (first.name, second.name) == ("worker 1", "worker 2")


def test_workers_that_never_begin_end_the_run():
    hired = []

    def hire(number: int) -> Any:
        hired.append(number)
        return Hand(number, LostError("no such module"))

    made = crew(2, hire)
    claim = enter(made, "film", 1)
    with pytest.raises(DeviceError, match="workers cannot begin: no such module"):
        acquire(made, claim)
    assert len(hired) <= 2 * (_MAX_FAILED + 2)


def test_a_machine_where_none_can_begin_is_left_out(caplog):
    hired = []

    def hire(number: int) -> Any:
        hired.append(number)
        return Hand(number, True if number == 1 else LostError("no such module"))

    made = crew(2, hire)
    claim = enter(made, "film", 1)
    for _ in range(4 * _MAX_FAILED):
        made.release(acquire(made, claim), claim)
    assert len(hired) <= 2 * (_MAX_FAILED + 1)
    assert caplog.text.count("is left out: no such module") == 1


def test_a_worker_that_cannot_take_part_in_one_film_works_for_others(caplog):
    made = crew(2)
    one, other = enter(made, "one", 1), enter(made, "other", 1)
    first = acquire(made, one)
    made.refuse(first, one, "the model is not the same")
    assert "worker 1 does not take part in one: the model is not the same" in caplog.text
    second = acquire(made, one)
    assert second is not first
    assert acquire(made, other) is first


def test_a_film_that_no_worker_can_take_part_in_ends():
    made = crew(2)
    claim = enter(made, "film", 1)
    made.refuse(acquire(made, claim), claim, "the model is not the same")
    with pytest.raises(DeviceError, match="no worker can restore film: the model is not the same"):
        made.refuse(acquire(made, claim), claim, "the model is not the same")


def test_a_film_waits_for_a_worker_that_another_film_has():
    made = crew(2)
    one, other = enter(made, "one", 1), enter(made, "other", 1)
    first, second = acquire(made, one), acquire(made, other)
    made.refuse(first, one, "the model is not the same")
    assert made.has_others(one, {first.machine})
    made.release(second, other)
    assert acquire(made, one) is second
    assert not made.has_others(one, {second.machine})


def test_it_is_known_whether_films_share_workers():
    made = crew(1)
    one, _ = enter(made, "one", 1), enter(made, "other", 1)
    assert made.shared
    made.leave(one)
    assert not made.shared


def test_a_film_whose_workers_cannot_be_placed_ends(monkeypatch, caplog):
    monkeypatch.setattr("vidrestore.cluster.waiting.PATIENCE", 0.0)
    monkeypatch.setattr("vidrestore.cluster.waiting.LIMIT", 0.15)
    made = Crew(lambda number: Hand(number, number == 1), 1, needs="8 free cores")
    claim = enter(made, "film", 1)
    made.lose(acquire(made, claim), claim)  # its machine was the only one with room
    with pytest.raises(DeviceError, match=r"a worker of film has not begun in .* it needs 8 free cores"):
        acquire(made, claim)
    assert caplog.text.count("film waits for a worker") == 1
    assert not claim.waiting


def test_a_film_waits_as_long_as_there_is_a_worker(monkeypatch, caplog):
    monkeypatch.setattr("vidrestore.cluster.waiting.PATIENCE", 0.0)
    monkeypatch.setattr("vidrestore.cluster.waiting.LIMIT", 0.0)
    made = crew(2, lambda number: Hand(number, number == 1))
    one, other = enter(made, "one", 1), enter(made, "other", 1)
    worker = acquire(made, other)

    async def wait() -> Any:
        waits = asyncio.ensure_future(made.acquire(one))
        await asyncio.sleep(0.12)
        made.release(worker, other)
        return await waits

    assert asyncio.run(wait()) is worker
    assert not caplog.text


def test_all_are_dismissed_at_the_end():
    hands = []

    def hire(number: int) -> Any:
        hands.append(Hand(number, number == 1))
        return hands[-1]

    made = crew(2, hire)
    claim = enter(made, "film", 1)
    made.release(acquire(made, claim), claim)
    made.leave(claim)
    made.close()
    assert [hand.dismissed for hand in hands] == [True, True]
