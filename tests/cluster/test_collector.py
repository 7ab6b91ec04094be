"""Segments are ready when all that they depend on is known, and nothing is kept for longer."""

from __future__ import annotations

import pytest

from vidrestore.cluster.collector import Collector, least_of
from vidrestore.cluster.sightings import Sighting
from vidrestore.faces.recorded.given_source import Given
from vidrestore.media.decode.fingerprint import FrameFingerprint
from vidrestore.stages.stretches import ALL, Stretches

CONTEXT, LENGTH = 3, 10


def sighting(number: int, *, context: bool = False, tracks: int = 0) -> Sighting:
    boundary = number + 1 + CONTEXT
    begins = boundary % LENGTH == 0 and number >= 0
    mark = FrameFingerprint(number, number, "") if begins else None
    return Sighting(number, context, Given((), 1), tracks, boundary if begins else None, mark)


def collector(wanted: Stretches = ALL) -> Collector:
    return Collector(LENGTH, wanted, context=CONTEXT)


def test_a_segment_is_ready_with_the_last_frame_of_its_context():
    made = collector()
    made.add(sighting(number) for number in range(12))
    assert made.ready == 0
    assert made.take(8) is None
    made.add([sighting(12)])
    assert made.ready == 1
    portion = made.take(8)
    assert portion is not None
    assert portion.frames == range(10)
    assert list(portion.faces or ()) == list(range(13))
    assert portion.marks == {}


def test_segments_that_follow_each_other_are_taken_together():
    made = collector()
    made.add(sighting(number, tracks=number // 10) for number in range(50))
    assert made.ready == 4
    first, second, third = made.take(2), made.take(8), made.take(8)
    assert first is not None
    assert second is not None
    assert (first.frames, second.frames, third) == (range(20), range(20, 40), None)
    assert {begin: mark.index for begin, mark in second.marks.items()} == {20: 16, 30: 26}
    assert list(second.faces or ()) == list(range(17, 43))
    assert made.tracks == 4
    assert not made.done
    made.end()
    last = made.take(8)
    assert last is not None
    assert (last.frames, made.frames, made.done) == (range(40, 50), 50, True)


def test_a_worker_that_is_alone_waits_for_more_than_several_do():
    assert [least_of(workers) for workers in (1, 2, 3, 8, 1000)] == [8, 4, 2, 1, 1]


def test_fewer_segments_are_enough_if_none_will_follow_them():
    made = collector()
    assert not made.has(1)
    made.add(sighting(number) for number in range(25))
    assert (made.has(2), made.has(3)) == (True, False)
    made.end()
    assert made.has(4)


@pytest.mark.parametrize(
    ("known", "expected"),
    [(13, False), (23, True), (53, True)],
    ids=["another follows", "finished ones follow", "there is a gap"],
)
def test_segments_before_finished_ones_are_not_held_back(known, expected):
    made = collector(Stretches((range(20), range(40, 90))))
    made.add(sighting(number) for number in range(known))
    assert made.has(4) is expected


def test_what_no_segment_needs_any_more_is_dropped():
    made = collector()
    for number in range(1000):
        made.add([sighting(number)])
        made.take(8)
        assert len(made._given) <= LENGTH + 2 * CONTEXT
        assert len(made._marks) <= 2


def test_the_last_segment_is_short_and_context_is_no_part_of_it():
    made = collector()
    before = [sighting(number, context=True) for number in (-2, -1)]
    after = [sighting(number, context=True) for number in (14, 15, 16)]
    made.add([*before, *map(sighting, range(14)), *after])
    made.end()
    portion = made.take(8)
    assert portion is not None
    assert portion.frames == range(14)
    assert list(portion.faces or ()) == list(range(-2, 17))


@pytest.mark.parametrize(
    ("wanted", "told", "taken"),
    [
        # Resumed: what is told begins in the context of the first segment that is wanted.
        (Stretches.after(20), range(17, 40), [range(20, 40)]),
        # Some are finished: others, which do not follow each other, are not taken together.
        (Stretches((range(10), range(20, 40))), range(40), [range(10), range(20, 40)]),
        # Frames that nothing wanted depends on are not told.
        (Stretches((range(10), range(80, 90))), [*range(13), *range(77, 93)], [range(10), range(80, 90)]),
        (Stretches(()), range(40), []),
    ],
    ids=["after", "between", "with gaps", "nothing"],
)
def test_only_what_is_wanted_is_taken(wanted, told, taken):
    made = collector(wanted)
    made.add(map(sighting, told))
    made.end()
    portions = []
    while portion := made.take(8):
        portions.append(portion.frames)
    assert portions == taken
    assert made.done
