"""The simulation of a cluster: no faster than its parts allow, and as fast where nothing is in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.virtual_time import seconds_of
from vidrestore.cluster.collector import Collector
from vidrestore.cluster.crew import Crew
from vidrestore.cluster.lead import Lead
from vidrestore.cluster.rendering import Made
from vidrestore.cluster.sightings import CHUNK, Sighting
from vidrestore.measure.speed.cluster_model import Costs, Shape, simulate
from vidrestore.stages.stretches import ALL

FILM = Shape(frames=50_000)
#: Restoring takes by far the longest.
COSTS = Costs(find=1e-5, decode=1e-3, context=5e-3, restore=0.1, join=1e-6)


def test_one_worker_takes_the_sum_of_its_work():
    shape = Shape(frames=1000, most_ready=8)
    free = replace(COSTS, find=0.0, join=0.0, decode=0.0, context=0.0)
    assert simulate(shape, free, 1).seconds == pytest.approx(1000 * 0.1)
    # Portions and their context: the worker waits for eight segments, and then takes all that are ready.
    assert simulate(shape, replace(free, context=0.01), 1).seconds == pytest.approx(1000 * 0.1)
    longer = simulate(replace(shape, frames=2000), replace(free, context=0.01), 1)
    assert longer.seconds == pytest.approx(2000 * 0.1 + (83 + 83) * 0.01, rel=0.02)
    assert simulate(shape, replace(free, begin=7.0), 1).seconds == pytest.approx(107)


@pytest.mark.parametrize("workers", [2, 10, 50])
def test_more_workers_are_faster_and_not_by_more_than_their_number(workers):
    gain = simulate(FILM, COSTS, 1).seconds / simulate(FILM, COSTS, workers).seconds
    assert 0.8 * workers < gain <= 1.01 * workers


@pytest.mark.parametrize(
    ("changes", "limit", "at_least"),  # with many workers, each segment is read with its context
    [
        ({"find": 0.01}, "finding faces", 50_000 * 0.01),
        ({"join": 0.01}, "joining", 50_000 * 0.01),
        ({"read": 1e6, "storage": 1e8}, "storage", 50_000 * 1e6 / 1e8 * (125 + 2 * 83) / 125),
        ({"write": 1e6, "storage": 1e8}, "storage", 50_000 * 2e6 / 1e8),
    ],
    ids=["find", "join", "read", "write"],
)
def test_many_workers_wait_for_what_there_is_one_of(changes, limit, at_least):
    outcome = simulate(FILM, replace(COSTS, **changes), 1000)
    assert outcome.limit == limit
    assert at_least <= outcome.seconds < 1.6 * at_least
    assert outcome.busy < 0.2


def test_a_film_of_few_segments_cannot_use_many_workers():
    short = Shape(frames=1000)
    assert simulate(short, COSTS, 1000).seconds == pytest.approx(simulate(short, COSTS, 8).seconds, rel=0.2)
    assert simulate(short, COSTS, 1000).seconds >= 125 * 0.1


def test_every_frame_is_restored_once():
    outcome = simulate(FILM, COSTS, 7)
    assert outcome.busy * outcome.seconds * 7 == pytest.approx(50_000 * 0.1)


class Hand:
    """A worker that sleeps for as long as its work takes."""

    def __init__(self, number: int, shape: Shape, costs: Costs) -> None:
        self.name = self.machine = f"worker {number}"
        self._shape, self._costs = shape, costs

    def has_begun(self) -> bool:
        return True

    async def join(self, film: Any) -> bool:
        return True

    async def render(self, film: Any, portion: Any) -> AsyncIterator[Made]:
        first, stop, context = portion.frames.start, portion.frames.stop, self._shape.context
        around = min(first, context) + min(self._shape.frames - stop, context)
        await asyncio.sleep(self._costs.open + around * (self._costs.decode + self._costs.context))
        for begin in portion.frames[:: portion.length]:
            frames = min(portion.length, stop - begin)
            await asyncio.sleep(frames * self._costs.restore)
            segment: Any = SimpleNamespace(frames=frames, info=[])
            yield Made(begin, segment, 0.0)

    def dismiss(self) -> None: ...


class Nowhere:
    """Takes segments."""

    def take(self, made: Made, worker: str) -> Any:
        return made.segment

    def take_piece(self, piece: Any, worker: str) -> None: ...

    def drop_pieces(self, worker: str) -> None: ...

    def save_state(self, frame: int, state: Any) -> None: ...


def scheduled(shape: Shape, costs: Costs, workers: int) -> float:
    """Seconds that the program's own scheduling takes, with workers that sleep."""

    async def analyse(state: Any) -> AsyncIterator[list[Sighting]]:
        for first in range(0, shape.frames, CHUNK):
            numbers = range(first, min(first + CHUNK, shape.frames))
            await asyncio.sleep(len(numbers) * costs.find)
            yield [Sighting(number, False, None, 0) for number in numbers]

    film: Any = SimpleNamespace(options=SimpleNamespace(input=Path("film.mkv")))
    hire: Any = lambda number: Hand(number, shape, costs)  # noqa: E731
    collector = Collector(shape.length, ALL, context=shape.context)
    return seconds_of(Lead(film, Crew(hire, workers), collector, Nowhere(), analyse).run())


@pytest.mark.parametrize("workers", [1, 3, 100])
@pytest.mark.parametrize(
    "costs",
    [
        Costs(find=0.005, decode=0.002, context=0.02, restore=0.2, join=0.0, open=0.5),
        Costs(find=0.05, decode=0.002, context=0.1, restore=0.25, join=0.0),
    ],
    ids=["restoring takes long", "finding takes long"],
)
def test_the_program_schedules_as_the_simulation_does(costs, workers):
    shape = Shape(frames=20_000)
    assert simulate(shape, costs, workers).seconds == pytest.approx(
        scheduled(shape, costs, workers), rel=0.05
    )
