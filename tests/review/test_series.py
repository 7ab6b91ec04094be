"""The course of a track in few points."""

from __future__ import annotations

import pytest

from tests.support.notes import face, left_alone
from vidrestore.restoration.guarded import Guards
from vidrestore.review.entries import FaceEntry
from vidrestore.review.series import PLOTTED, Series, points_each


def series(faces, most: int = 8) -> Series:
    made = Series(most)
    for number, note in enumerate(faces):
        made.add(number / 10, FaceEntry(note, None, None))
    return made


def test_a_short_track_is_kept_as_it_is():
    columns = series([face(size=100 + i, w=0.1) for i in range(5)]).columns()
    assert len(columns) == 1 + len(PLOTTED)
    assert columns[0] == [0, 0.1, 0.2, 0.3, 0.4]
    assert columns[2] == [100, 101, 102, 103, 104]


@pytest.mark.parametrize("frames", [9, 16, 17, 100, 1000])
def test_a_long_one_has_means_and_its_largest_distance(frames):
    faces = [
        face(size=i, guards=Guards(0.5, 0.9 if i == frames // 2 else 0.1, 0, 0, 0, 0)) for i in range(frames)
    ]
    made = series(faces)
    times, _, sizes, _, distances = made.columns()
    assert 4 <= len(times) <= 8
    assert times == sorted(times)
    assert times[0] == 0
    assert sizes == sorted(sizes)
    assert sum(sizes) / len(sizes) == pytest.approx(frames / 2, rel=0.3)
    assert max(distances) == 0.9
    assert sorted(distances)[-2] == 0.1


def test_what_is_not_known_stays_unknown():
    columns = series([left_alone(fit=0.0, w=None), left_alone(fit=0.0, w=None)]).columns()
    assert columns[1:] == [[None, None]] * 4


def test_all_tracks_together_are_bounded():
    assert points_each(1) == 240
    assert 3000 * points_each(3000) <= 60_000
    assert points_each(10**6) == 8
