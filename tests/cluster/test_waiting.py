"""A run says that it waits for room on a cluster, and does not wait without end."""

from __future__ import annotations

from typing import Any

import pytest

from vidrestore.cluster import waiting
from vidrestore.cluster.waiting import LIMIT, PATIENCE, Waiting
from vidrestore.errors import DeviceError


@pytest.fixture
def clock(monkeypatch) -> Any:
    """A clock that is set by hand: a list of one time."""
    now = [0.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])
    return now


def test_it_says_once_that_it_waits_and_for_how_long(clock, caplog):
    wait = Waiting("film.mkv", "a worker", "a machine with 8 free cores")
    for clock[0] in (1.0, PATIENCE, PATIENCE + 1, PATIENCE + 2, LIMIT):
        wait.go_on()
        assert len(caplog.messages) == (clock[0] > PATIENCE)
    assert caplog.messages == [
        "film.mkv waits for a worker to begin, and ends if it has not in 15 minutes: it needs a machine with "
        "8 free cores"
    ]


def test_it_ends_with_one_sentence(clock):
    wait = Waiting("film.mkv", "a worker", "a machine with 8 free cores")
    clock[0] = LIMIT + 1
    with pytest.raises(DeviceError) as caught:
        wait.go_on()
    assert str(caught.value) == (
        "a worker of film.mkv has not begun in 15 minutes: it needs a machine with 8 free cores; "
        "what is complete is kept: run the command again to continue"
    )


def test_it_counts_anew_while_room_may_come(clock, caplog):
    wait = Waiting("film.mkv", "a worker", "a machine with 8 free cores")
    for clock[0] in range(0, int(3 * LIMIT), int(PATIENCE)):
        wait.restart()
        wait.go_on()
    assert not caplog.messages
