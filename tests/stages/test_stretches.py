"""Which frames are restored."""

from __future__ import annotations

import pytest

from vidrestore.stages.stretches import Stretches


@pytest.mark.parametrize(
    ("segments", "picture"),
    [
        ("", "............"),
        ("0", "xxx........."),
        ("0 3", "xxxxxx......"),
        ("3 9", "...xxx...xxx"),
        ("0 3 6 9", "xxxxxxxxxxxx"),
    ],
)
@pytest.mark.parametrize("reach", [0, 1, 4])
def test_frames_in_and_near(segments, picture, reach):
    wanted = Stretches.join(range(int(first), int(first) + 3) for first in segments.split())
    assert bool(wanted) == bool(segments)
    assert "".join("x" if frame in wanted else "." for frame in range(12)) == picture
    for frame in range(-5, 17):
        around = range(max(0, frame - reach), min(12, frame + reach + 1))
        near = {i for i, s in enumerate(wanted.stretches) if set(around) & set(s)}
        assert set(wanted.places_near(frame, reach)) == near


def test_those_that_touch_are_one():
    assert Stretches.join([range(3), range(3, 6), range(9, 11)]).stretches == (range(6), range(9, 11))


def test_after_some_are_all_the_others():
    assert [frame in Stretches.after(3) for frame in (2, 3, 10**12)] == [False, True, True]
