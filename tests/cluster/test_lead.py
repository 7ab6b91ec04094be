"""Whatever fails on the way, each segment is taken once, in any order, or the run ends with what failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.virtual_time import seconds_of
from vidrestore.cluster.collector import Collector
from vidrestore.cluster.crew import Crew, LostError
from vidrestore.cluster.film import RefusedError
from vidrestore.cluster.lead import Lead
from vidrestore.cluster.rendering import Count, Made
from vidrestore.cluster.retries import MAX_LOST
from vidrestore.cluster.sightings import Sighting
from vidrestore.cluster.told import Piece, Said
from vidrestore.errors import DeviceError, InputError, OutputError
from vidrestore.faces.recorded.given_source import Given
from vidrestore.stages.stretches import ALL

LENGTH, CONTEXT = 10, 3
FILM: Any = SimpleNamespace(options=SimpleNamespace(input=Path("film.mkv")))
#: Given a worker's number and a segment's first frame, raises what goes wrong or does nothing.
Fault = Callable[[int, int], None]


class Hand:
    """A worker that makes segments of nothing."""

    def __init__(self, number: int, team: Team) -> None:
        self.name, self.number, self.team = f"worker {number}", number, team
        self.machine = team.machines.get(number, self.name)
        self.has_input = not team.sends
        self.dismissed = False

    def has_begun(self) -> bool:
        return True

    async def join(self, film: Any) -> bool:
        self.team.joins(self.number)
        return self.has_input

    async def send(self, film: Any) -> None:
        self.has_input = True
        self.team.sent.append(self.number)

    async def render(self, film: Any, portion: Any) -> AsyncIterator[Any]:
        self.team.portions.append((self.number, portion.frames))
        for first in portion.frames[::LENGTH]:
            await asyncio.sleep(0)
            stop = min(first + LENGTH, portion.frames.stop)
            yield Count(1, 1)
            self.team.fault(self.number, first)
            if self.team.pieces:
                yield Piece(b"a piece")
            info = [{"faces": 1}] * (stop - first)
            segment: Any = SimpleNamespace(frames=stop - first, info=info)
            yield Made(first, segment, 0.5)

    def dismiss(self) -> None:
        self.dismissed = True


class Team:
    """A crew, and where what it makes goes."""

    def __init__(
        self,
        size: int = 2,
        *,
        frames: int = 95,
        fault: Fault = lambda worker, first: None,
        joins: Callable[[int], None] = lambda worker: None,
        sends: bool = False,
        pieces: bool = False,
        machines: dict[int, str] | None = None,
    ) -> None:
        self.machines = machines or {}
        self.fault, self.joins, self.sends, self.pieces, self.frames = fault, joins, sends, pieces, frames
        self.sent: list[int] = []
        self.portions: list[tuple[int, range]] = []
        self.taken: list[int] = []
        self.states: list[int] = []
        self.begun: list[Any] = []
        self.dropped: list[str] = []
        self.taken_pieces = 0
        self.told: list[tuple[int, int]] = []
        hire: Any = lambda number: Hand(number, self)  # noqa: E731
        self.crew = Crew(hire, size)

    def take(self, made: Made, worker: str) -> Any:
        self.taken.append(made.first)
        return made.segment

    def take_piece(self, piece: Piece, worker: str) -> None:
        self.taken_pieces += 1

    def drop_pieces(self, worker: str) -> None:
        self.dropped.append(worker)

    def save_state(self, frame: int, state: Any) -> None:
        self.states.append(frame)

    async def analyse(self, state: Any) -> AsyncIterator[list[Sighting]]:
        self.begun.append(state)
        begin = state["after"] if state else 0
        for number in range(begin, self.frames):
            await asyncio.sleep(0)
            boundary = number + 1 + CONTEXT
            begins = boundary % LENGTH == 0
            saved = {"after": number + 1} if begins else None
            given = Given((), 1)
            yield [Sighting(number, False, given, 1, boundary if begins else None, None, saved)]

    def lead(self, **changes: Any) -> Lead:
        def tell(frames: int, faces: int) -> None:
            self.told.append((frames, faces))

        collector = Collector(LENGTH, ALL, context=CONTEXT)
        given = {"told": tell, "expected": self.frames} | changes
        analyse = given.pop("analyse", self.analyse)
        return Lead(FILM, self.crew, collector, self, analyse, **given)

    def run(self, **changes: Any) -> Lead:
        lead = self.lead(**changes)
        asyncio.run(asyncio.wait_for(lead.run(), 20))
        return lead


FIRSTS = list(range(0, 95, LENGTH))


def once(error: Exception, at: int) -> Fault:
    left = [error]

    def fault(worker: int, first: int) -> None:
        if first == at and left:
            raise left.pop()

    return fault


@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_segment_is_taken_once(size):
    team = Team(size)
    lead = team.run()
    assert sorted(team.taken) == FIRSTS
    assert lead.faces == 95
    assert sum(share.frames for share in lead.shares.values()) == 95
    assert sum(share.segments for share in lead.shares.values()) == len(FIRSTS)
    assert team.states == [*range(10, 95, 10)]


def test_segments_begin_before_the_analysis_has_ended():
    team = Team(1, frames=400)
    seen = []

    async def analyse(state: Any) -> AsyncIterator[list[Sighting]]:
        async for sightings in team.analyse(state):
            yield sightings
            await asyncio.sleep(0.002)
            seen.append(len(team.taken))

    seconds_of(team.lead(analyse=analyse).run())
    assert seen[-1] > 0


def test_the_analysis_waits_for_workers_that_are_slow(monkeypatch):
    monkeypatch.setattr("vidrestore.cluster.lead._MAX_READY", 2)
    monkeypatch.setattr("vidrestore.cluster.collector._LEAST", 1)
    team = Team(1, frames=400)
    lead = team.lead()
    most = 0

    def watch(worker: int, first: int) -> None:
        nonlocal most
        most = max(most, lead._collector.ready)

    team.fault = watch
    asyncio.run(lead.run())
    assert most <= 4
    assert len(team.taken) == 40


@pytest.mark.parametrize(
    "error",
    [InputError("frame 43 is odd"), OutputError("no space"), RuntimeError("a bug"), LostError("killed")],
)
def test_what_fails_once_is_done_again(error):
    team = Team(2, fault=once(error, 40))
    team.run()
    assert sorted(team.taken) == FIRSTS
    tried = [worker for worker, frames in team.portions if 40 in frames]
    assert len(tried) == 2
    assert len(set(tried)) == 2  # on another worker


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("where", [40, 90], ids=["inside", "the last"])
@pytest.mark.parametrize("error", [InputError("frame 43 is odd"), RuntimeError("a bug")])
def test_what_fails_twice_ends_the_run_with_its_own_error(error, where, size):
    def fault(worker: int, first: int) -> None:
        if first == where:
            raise error

    team = Team(size, fault=fault)
    with pytest.raises(type(error), match=str(error)):
        team.run()
    assert set(range(0, where, 10)) <= set(team.taken)  # those before it are kept


def test_a_segment_at_which_every_worker_ends_ends_the_run():
    def fault(worker: int, first: int) -> None:
        if first == 40:
            raise LostError("killed by the system: out of memory")

    team = Team(2, fault=fault)
    with pytest.raises(DeviceError, match=rf"ended {MAX_LOST} times .* 40 to 49 of film\.mkv: killed by"):
        team.run()
    assert len([1 for _, frames in team.portions if 40 in frames]) == MAX_LOST


def test_a_worker_that_is_out_of_reach_is_dismissed():
    """Or it would hold what its successor needs."""
    team, hands = Team(1, fault=once(LostError("unavailable"), 40)), []
    hire = team.crew._hire

    def noted(number: int) -> Any:
        hands.append(hire(number))
        return hands[-1]

    team.crew = Crew(noted, 1)
    team.run()
    assert [hand.dismissed for hand in hands] == [True, False]


def test_what_fails_with_others_is_tried_by_itself():
    """It may be a frame of a segment behind it that fails."""
    team = Team(1, fault=once(InputError("odd"), 40))
    team.run()
    again = [frames for _, frames in team.portions if 40 in frames][-1]
    assert again == range(40, 50)


def test_a_machine_whose_disk_is_full_gets_no_more(caplog):
    def fault(worker: int, first: int) -> None:
        if worker == 1:
            raise OutputError("no space left on device")

    team = Team(3, frames=300, fault=fault)
    team.run()
    assert len(team.taken) == 30
    assert len([1 for worker, _ in team.portions if worker == 1]) == 2
    assert "worker 1 gets no more of film.mkv: no space left on device" in caplog.text


def test_a_full_disk_that_two_workers_share_does_not_end_the_run():
    def fault(worker: int, first: int) -> None:
        if worker != 3:
            raise OutputError("no space left on device")

    team = Team(3, frames=300, fault=fault, machines={1: "a", 2: "a"})
    team.run()
    assert len(team.taken) == 30


def test_workers_that_ended_while_they_were_idle_are_no_fault_of_a_segment():
    def joins(worker: int) -> None:
        if worker <= 7:
            raise LostError("its machine is gone")

    team = Team(8, joins=joins)
    team.run()
    assert sorted(team.taken) == FIRSTS


def test_workers_that_always_end_before_they_take_part_end_the_run():
    def joins(worker: int) -> None:
        raise LostError("out of memory")

    with pytest.raises(DeviceError, match=r"workers end before they restore film\.mkv: out of memory"):
        Team(2, joins=joins).run()


def test_a_worker_that_cannot_receive_the_input_is_passed_over():
    def joins(worker: int) -> None:
        if worker == 1:
            raise OutputError("no space left on device")

    team = Team(2, joins=joins)
    team.run()
    assert {worker for worker, _ in team.portions} == {2}


def test_a_worker_that_is_acquired_when_the_run_ends_is_not_forgotten():
    team, ends = Team(1), asyncio.Event()
    acquire = team.crew.acquire

    async def acquired(claim: Any) -> Any:
        await ends.wait()
        return await acquire(claim)

    async def analyse(state: Any) -> AsyncIterator[list[Sighting]]:
        async for sightings in team.analyse(state):
            yield sightings
        await asyncio.sleep(0.1)  # until a worker is asked for
        ends.set()
        raise InputError("the file is damaged")

    team.crew.acquire = acquired  # type: ignore[method-assign]
    with pytest.raises(InputError):
        team.run(analyse=analyse)
    assert len([*team.crew._idle, *team.crew._coming]) == 1  # or another in its place


def test_a_worker_that_cannot_take_part_is_passed_over(caplog):
    def joins(worker: int) -> None:
        if worker == 1:
            raise RefusedError("the model is not the same")

    team = Team(2, joins=joins)
    team.run()
    assert sorted(team.taken) == FIRSTS
    assert {worker for worker, _ in team.portions} == {2}
    assert caplog.text.count("the model is not the same") == 1


def test_no_worker_that_can_take_part_ends_the_run():
    def joins(worker: int) -> None:
        raise RefusedError("the model is not the same")

    with pytest.raises(DeviceError, match=r"no worker can restore film\.mkv: the model is not the same"):
        Team(2, joins=joins).run()


def test_the_input_is_sent_to_workers_that_do_not_see_it():
    team = Team(2, sends=True)
    team.run()
    assert sorted(team.sent) == [1, 2]


def test_pieces_are_passed_on_and_dropped_if_the_worker_ends():
    team = Team(1, pieces=True)
    team.run()
    assert team.taken_pieces == len(FIRSTS)
    assert set(team.dropped) == {"worker 1"}


def test_the_analysis_begins_again_where_it_was():
    team = Team(1)
    left = [LostError("its machine is gone")]

    async def analyse(state: Any) -> AsyncIterator[list[Sighting]]:
        async for sightings in team.analyse(state):
            if sightings[0].number == 50 and left:
                raise left.pop()
            yield sightings

    team.run(analyse=analyse)
    assert team.begun == [None, {"after": 47}]
    assert sorted(team.taken) == FIRSTS
    assert team.states == [*range(10, 95, 10)]  # each once


def test_an_analysis_that_always_ends_ends_the_run():
    async def analyse(state: Any) -> AsyncIterator[list[Sighting]]:
        yield []
        raise LostError("out of memory")

    with pytest.raises(DeviceError, match=r"finds faces in film\.mkv ended .* times: out of memory"):
        Team(1).run(analyse=analyse)


def test_what_is_wrong_with_the_input_ends_the_run():
    async def analyse(state: Any) -> AsyncIterator[list[Sighting]]:
        raise InputError("no frame could be decoded")
        yield []

    with pytest.raises(InputError, match="no frame could be decoded"):
        Team(1).run(analyse=analyse)


def test_an_interrupted_run_lets_no_worker_work_on():
    hands = []

    class Slow(Hand):
        async def render(self, film: Any, portion: Any) -> AsyncIterator[Any]:
            hands.append(self)
            yield Count(1, 1)
            await asyncio.sleep(100)

    def tell(frames: int, faces: int) -> None:
        if frames:
            raise KeyboardInterrupt

    team = Team(2)
    hire: Any = lambda number: Slow(number, team)  # noqa: E731
    team.crew = Crew(hire, 2)
    with pytest.raises(KeyboardInterrupt):
        team.run(told=tell)
    assert hands
    assert all(hand.dismissed for hand in hands)
    assert len(team.crew._coming) == len(hands)  # others, for the next film


def test_progress_is_told_for_all_workers():
    team = Team(2)
    team.run()
    frames = [frames for frames, _ in team.told]
    assert frames[0] == 0
    assert frames == sorted(frames)
    assert frames[-1] <= 95


def test_what_workers_log_is_said_once(caplog):
    caplog.set_level(logging.INFO, "vidrestore")

    class Talking(Hand):
        async def render(self, film: Any, portion: Any) -> AsyncIterator[Any]:
            yield Said(logging.WARNING, "film.mkv is damaged")
            async for item in super().render(film, portion):
                yield item

    team = Team(2)
    hire: Any = lambda number: Talking(number, team)  # noqa: E731
    team.crew = Crew(hire, 2)
    team.run()
    assert caplog.text.count("film.mkv is damaged") == 1
