"""Which frames each step must work on: enough, and not many more."""

from __future__ import annotations

from dataclasses import dataclass

from vidrestore.stages.needs import Needs
from vidrestore.stages.restoration import CONTEXT


@dataclass
class Numbered:
    index: int


def test_one_frame_needs_few_results_and_all_the_faces_around():
    needs = Needs.of([0])
    assert sorted(f for f in needs.rendered if f >= 0) == [0, 1, 6, 12, 18, 24]
    assert sorted(needs.measured) == list(range(-3, 4))
    assert sorted(needs.observed) == list(range(-27, 28))
    assert sorted(needs.planned) == list(range(-30, 31))
    assert sorted(needs.aligned) == list(range(-42, 43))
    assert max(needs.aligned) < CONTEXT


def test_faces_are_compared_with_photographs_in_the_frames_around():
    needs = Needs.of([0], guarded=True)
    assert needs.observed == Needs.of([0]).observed
    assert sorted(needs.compared) == list(range(-38, 39))
    assert sorted(needs.aligned) == list(range(-53, 54))
    assert max(needs.aligned) < CONTEXT


def test_what_is_measured_of_results_needs_them():
    needs = Needs.of([0], task="colour")
    assert needs.measured <= needs.rendered
    assert needs.measured <= needs.observed


def test_several_frames_need_what_each_needs():
    together = Needs.of(range(100, 105))
    for frame in range(100, 105):
        alone = Needs.of([frame])
        assert alone.rendered <= together.rendered
        assert alone.aligned <= together.aligned
    assert together.rendered >= set(range(100, 105))


def test_steps_look_less_far_at_frames_that_are_not_wanted():
    reach = Needs.of([0]).reach(3, 24)
    assert [reach(Numbered(index)) for index in (0, 1, 27, 28, -28)] == [24, 3, 3, 0, 0]
