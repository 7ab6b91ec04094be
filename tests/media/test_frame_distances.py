"""The distances of the first frames tell whether a stated rate is true."""

from __future__ import annotations

from fractions import Fraction

import pytest

from vidrestore.media.frame_distances import FrameDistances

MS = Fraction(1, 1000)


@pytest.mark.parametrize(
    ("times", "durations", "stated", "contradicted", "rate"),
    [
        ([0, 40, 80, 120], [40] * 4, Fraction(25), False, Fraction(25)),
        # The ticks of the clock.
        ([0, 40, 80, 120], [40] * 4, Fraction(1000), True, Fraction(25)),
        ([0, 33, 67, 100], [0] * 4, Fraction(1000), True, Fraction(30)),
        # A last frame of hours.
        ([0, 40, 80, 120], [40, 40, 40, 9**8], Fraction(1, 900), True, Fraction(25)),
        # Fields, telecine and variable rates are no contradiction.
        ([0, 20, 40, 60], [20] * 4, Fraction(25), False, Fraction(50)),
        ([0, 33, 83, 117, 167], [33] * 5, Fraction(30), False, Fraction(1000, 33)),
        ([0, 10, 20, 30, 800], [10] * 5, Fraction(5), False, Fraction(100)),
        # Order and repeated times do not matter.
        ([0, 80, 40, 40, 120], [0] * 5, Fraction(600), True, Fraction(25)),
        # One frame, with a duration and without.
        ([0], [40], Fraction(60000), True, Fraction(25)),
        ([0], [0], Fraction(25), False, None),
    ],
)
def test_rates(times, durations, stated, contradicted, rate):
    distances = FrameDistances.of(times, durations, MS)
    assert (distances.contradict(stated), distances.rate) == (contradicted, rate)
