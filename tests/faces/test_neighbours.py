"""Faces of a frame know of those beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vidrestore.faces.face import Face
from vidrestore.faces.neighbours import with_neighbours


def face(track: int, x: float, size: float = 100.0) -> Face:
    box = np.array((x - size / 2, 0, x + size / 2, size), np.float32)
    return Face(track, box, np.full((5, 2), track, np.float32))


def test_near_ones_are_told_of_in_both_directions_those_left_alone_too():
    first, second, far, alone = face(1, 100), face(2, 220), face(3, 900), face(4, 0)
    found = with_neighbours([first, replace(second, strength=0.5), far], [alone])
    near = [[int(other.landmarks[0, 0]) for other in each.neighbours] for each in found]
    assert near == [[2, 4], [1, 4], []]
    assert [other.strength for other in found[0].neighbours] == [0.5, 1.0]
    assert [each.track for each in found] == [1, 2, 3]


def test_a_small_face_is_near_to_a_large_one_and_the_other_way_round():
    found = with_neighbours([face(1, 0, 40), face(2, 240, 100)])
    assert [len(each.neighbours) for each in found] == [1, 1]
    assert with_neighbours([]) == []
