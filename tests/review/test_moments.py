"""The riskiest moments: the right faces, for the right reasons, not all at one time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.support.recordings import ORIGIN, STEP, face, recording
from vidrestore.faces.face import Adjustment, TrackSettings
from vidrestore.faces.recorded.recording import Condition, Recording
from vidrestore.restoration.fidelity.rules import Limits
from vidrestore.review import moments as module
from vidrestore.review.moments import Sight, choose_moments, sights_of, speed

PLAIN = Sight(
    Fraction(0), size=120, yaw=0.05, place=(50, 50), speed=0.001, score=0.999, sharpness=0.9, noise=1
)
HARD = {
    "small, 12 px": {"size": 12},
    "turned aside by 63 degrees": {"yaw": 0.7},
    "hard to find, score 0.81": {"score": 0.81},
    "not detected, its place is guessed": {"score": 0.0},
    "moves by 31% of its size per frame": {"speed": 0.31},
    "worn, sharpness 0.05, noise 22": {"sharpness": 0.05, "noise": 22.0},
}


#: Limits that leave no face alone.
NONE = Limits(min_size=0, max_yaw=0, max_sharpness=0)


def clip(seconds: int, **hard: dict[str, float]) -> list[Sight]:
    """A plain face each second, but for the named seconds (``s4``)."""
    return [replace(PLAIN, time=Fraction(s), **hard.get(f"s{s}", {})) for s in range(seconds)]


@pytest.mark.parametrize(("why", "how"), HARD.items(), ids=HARD)
def test_the_hardest_face_is_found_and_the_reason_given(why, how):
    (moment,) = choose_moments(clip(60, s23=how), 1)
    assert (moment.time, moment.why, moment.place) == (23, why, (50, 50))
    assert str(moment) == f"0:00:23.00: {why}"


def test_each_reason_is_given_before_one_is_given_twice_too_often():
    hard = {f"s{5 * n}": how for n, how in enumerate(HARD.values())}
    hard |= {f"s{40 + 5 * n}": {"size": 12 + n} for n in range(3)}
    moments = choose_moments(clip(60, **hard), 5)
    assert {moment.why.split(",")[0].split(" ")[0] for moment in moments} >= {"small", "worn", "moves"}
    assert [moment.time for moment in moments] == sorted(moment.time for moment in moments)


def test_moments_lie_apart_while_there_are_others():
    close = [replace(PLAIN, time=Fraction(n, 10), size=10) for n in range(10)]
    moments = choose_moments(close + clip(60)[10:], 3)
    assert sum(moment.time < 1 for moment in moments) == 1
    assert len({moment.time for moment in choose_moments(close, 3)}) == 3
    assert len(choose_moments(close, 99)) == 10


def test_nobody():
    assert choose_moments([], 5) == []


def test_the_faces_of_a_recording():
    made = recording(30)
    made.conditions[1] = Condition(size=99, sharpness=0.25, noise=3.5, yaw=0, roll=0, w=0.5, why="")
    sights = list(sights_of(made, NONE))
    # Track 2 is there for ten frames, track 1 fades in over the first five of its own.
    assert len(sights) == 29 - 5 + 10
    first = sights[0]
    assert first.time == (3000 * ORIGIN.time_base) - ORIGIN.begin
    assert first.sharpness is None, "track 2 has not been measured"
    last = sights[-1]
    assert last.time == (3000 + 28 * STEP) * ORIGIN.time_base - ORIGIN.begin
    assert (last.sharpness, last.noise) == (0.25, 3.5)
    assert last.speed == pytest.approx(1 / 3 / 100, rel=0.1)
    assert last.size == pytest.approx(100, rel=0.5)


def test_faces_that_a_run_leaves_alone_are_no_moments():
    made = recording(30)
    sizes = {round(sight.size) for sight in sights_of(made, NONE)}
    assert len(sizes) == 2
    assert {round(s.size) for s in sights_of(made, replace(NONE, min_size=min(sizes) + 1))} == {max(sizes)}
    turned = face(1, 300)
    turned.landmarks[2, 0] += 40
    made.add(3000 + STEP * 40, [turned])
    assert [s.yaw > 0.4 for s in sights_of(made, NONE)][-2:] == [False, True]
    assert not [s for s in sights_of(made, replace(NONE, max_yaw=0.4)) if s.yaw > 0.4]
    condition = Condition(size=99, sharpness=0.99, noise=0, yaw=0, roll=0, w=0.5, why="")
    made.conditions[2] = condition
    assert {round(s.size) for s in sights_of(made, replace(NONE, max_sharpness=0.95))} == {min(sizes)}
    made.settings[2] = TrackSettings(Adjustment(skip=True))
    assert {round(s.size) for s in sights_of(made, NONE)} == {min(sizes)}


def test_a_face_that_moves():
    made = Recording(ORIGIN)
    for number in range(3):
        made.add(3000 + STEP * number, [face(1, 100 + 20 * number)])
    speeds = [sight.speed for sight in sights_of(made, NONE)]
    assert speeds[0] is None
    assert speeds[1] == pytest.approx(speed(np.array([0, 0, 100, 100]), np.array([20, 0, 120, 100])), rel=0.3)


def test_of_a_long_recording_some_faces_are_looked_at(monkeypatch):
    monkeypatch.setattr(module, "_SIGHTS", 10)
    made = recording(400)
    sights = list(sights_of(made, NONE))
    assert 5 <= len(sights) <= 20
    assert sights[-1].speed is not None
    assert sights[-1].time > 14
