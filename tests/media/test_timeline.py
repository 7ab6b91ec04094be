"""Where a span lies on the timeline of a container."""

from __future__ import annotations

from fractions import Fraction

import pytest

from vidrestore.media.timeline import Span, Timeline


def test_a_whole_file_keeps_its_timestamps():
    timeline = Timeline(Fraction(7, 5), Span())
    assert Span().whole
    assert timeline.shift(Fraction(1, 1000)) == 0
    assert timeline.end is None
    assert timeline.overlaps(Fraction(-5), Fraction(0))


def test_a_file_that_begins_before_zero_is_moved_as_a_whole():
    timeline = Timeline(Fraction(-1), Span(), move=Fraction(1, 3))
    assert [timeline.shift(base) for base in (Fraction(1, 3), Fraction(1, 1000))] == [1, 334]
    assert Timeline(Fraction(-1), Span(Fraction(2)), move=Fraction(1)).shift(Fraction(1, 1000)) == -1000


def test_a_part_is_counted_from_the_beginning_of_the_timeline():
    timeline = Timeline(Fraction(7, 5), Span(Fraction(1), Fraction(3)))
    assert (timeline.start, timeline.end) == (Fraction(12, 5), Fraction(22, 5))


def test_a_shift_is_added_to_input_timestamps():
    timeline, base = Timeline(Fraction(7, 5), Span(Fraction(1))), Fraction(1, 1000)
    assert round(timeline.start / base) + timeline.shift(base) == 0


def test_a_part_without_a_beginning_is_not_shifted():
    assert Timeline(Fraction(7, 5), Span(end=Fraction(3))).shift(Fraction(1, 1000)) == 0


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [("0", "1", False), ("0", "1.1", True), ("2.9", "1", True), ("3", "1", False), ("1", "0", False)],
)
def test_what_overlaps_a_span(start, duration, expected):
    timeline = Timeline(Fraction(0), Span(Fraction(1), Fraction(3)))
    assert timeline.overlaps(Fraction(start), Fraction(duration)) == expected
