"""The simulation of a cluster: no faster than its parts allow, and as fast where nothing is in the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vidrestore.measure.speed.cluster_model import Costs, Shape, simulate

FILM = Shape(frames=50_000)
#: Restoring takes by far the longest.
COSTS = Costs(find=1e-5, decode=1e-3, context=5e-3, restore=0.1, join=1e-6)


def test_one_worker_takes_the_sum_of_its_work():
    shape = Shape(frames=1000, most_ready=8)
    free = replace(COSTS, find=0.0, join=0.0, decode=0.0, context=0.0)
    assert simulate(shape, free, 1).seconds == pytest.approx(1000 * 0.1)
    # The portions and their context: of the first segment, which is ready before others are, and of the rest.
    outcome = simulate(shape, replace(free, context=0.01), 1)
    assert outcome.seconds == pytest.approx(1000 * 0.1 + (83 + 83) * 0.01, rel=0.02)
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
