"""Frame timestamps are kept if valid, made up if not, and always increase."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import pytest

from vidrestore.media.decode.timestamps import Timestamps


def repaired(stamps, rate=25, base=Fraction(1, 1000)):
    frames = [SimpleNamespace(pts=pts, dts=None, time_base=base) for pts in stamps]
    timestamps = Timestamps(Fraction(rate))
    return [frame.pts for frame in timestamps(iter(frames))], timestamps.repaired


@pytest.mark.parametrize(
    ("given", "expected", "count"),
    [
        ([0, 40, 80, 120], [0, 40, 80, 120], 0),
        ([-80, -40, 0, 7, 1000], [-80, -40, 0, 7, 1000], 0),
        ([0, None, None, 120], [0, 40, 80, 120], 2),
        ([0, 40, 40, 120], [0, 40, 80, 120], 1),
        ([0, 40, 30, 120], [0, 40, 80, 120], 1),
        # A variable rate's missing frame lies in the middle of its neighbours.
        ([0, None, 10, 400], [0, 5, 10, 400], 1),
        ([0, 40, None, None], [0, 40, 80, 120], 2),
        ([None, None, 200, 240], [120, 160, 200, 240], 2),
        ([None, None, 30, 70], [0, 15, 30, 70], 2),
        ([None, None, None], [0, 40, 80], 3),
        # No tick is free: the next frame moves on by one.
        ([0, None, 1, 40], [0, 1, 2, 40], 2),
        # One frame of a wrong time is that frame's alone, as long as others go on ...
        ([0, 40, 9**8, 120, 160], [0, 40, 80, 120, 160], 1),
        ([0, 40, 9**8, 9**8 + 40], [0, 40, 9**8, 9**8 + 40], 0),
        ([0, 40, 9**8], [0, 40, 9**8], 0),
        ([0, 40, 5080, 120, 160, 200, 240], [0, 40, 80, 120, 160, 200, 240], 1),
        ([0, 5000, 10000, 15000], [0, 5000, 10000, 15000], 0),
        # ... and likewise one that is behind ...
        ([5000, 5040, 3, 5120, 5160], [5000, 5040, 5080, 5120, 5160], 1),
        # ... but a clock that is set back goes on from where it was.
        (
            [5000, 5040, 0, 40, 90, 130, 180],
            [5000, 5040, 5080, 5120, 5160, 5200, 5250],
            5,
        ),
    ],
)
def test_timestamps(given, expected, count):
    assert repaired(given) == (expected, count)


def test_many_frames_without_a_time_do_not_wait_for_one():
    stamps, count = repaired([0] + [None] * 100)
    assert stamps == [40 * i for i in range(101)]
    assert count == 100


def test_the_time_of_decoding_stands_in():
    frames = [SimpleNamespace(pts=None, dts=i * 40, time_base=Fraction(1, 1000)) for i in range(3)]
    assert [frame.pts for frame in Timestamps(Fraction(25))(iter(frames))] == [0, 40, 80]
