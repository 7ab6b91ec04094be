"""Faces that are given are played back with every digit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.recordings import face
from vidrestore.errors import InputError
from vidrestore.faces.recorded.given_source import Given, GivenSource


def test_faces_are_those_that_were_given_with_the_shots_so_far():
    first = replace(face(1, 100.0), strength=1 / 3)
    given = {7: Given((first,), 1), 8: Given((), 2), 9: Given((first, face(2, 50.0)), 2)}
    source = GivenSource[int](given, number=lambda frame: frame)
    seen = []
    for frame, faces in source.stream((number, None) for number in (7, 8, 9)):
        seen.append((frame, faces, source.shots, source.tracks, source.faces))
    assert seen == [
        (7, (first,), 1, 1, 1),
        (8, (), 2, 1, 1),
        (9, given[9].faces, 2, 2, 3),
    ]
    assert seen[0][1][0].strength == 1 / 3
    assert [source.has_frame(number) for number in (6, 7, 9, 10)] == [False, True, True, False]


def test_a_frame_that_is_not_given_is_an_error():
    source = GivenSource[int]({0: Given((), 0)}, number=lambda frame: frame)
    with pytest.raises(InputError, match="frame 1 was not there when faces were looked for"):
        list(source.stream([(0, None), (1, None)]))
