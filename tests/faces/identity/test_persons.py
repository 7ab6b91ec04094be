"""Tracks are grouped by person: near embeddings together, tracks that share a frame apart."""

from __future__ import annotations

import numpy as np
import pytest

from vidrestore.faces.identity.persons import group_tracks


def at(**places: float) -> dict[int, np.ndarray]:
    """Embeddings on a line, by the digits in their names."""
    return {int(name[1:]): np.array([place, 1.0]) for name, place in places.items()}


@pytest.mark.parametrize(
    ("embeddings", "apart", "expected"),
    [
        ({}, [], {}),
        (at(t4=0), [], {4: 1}),
        (at(t2=0, t1=0.1), [], {1: 1, 2: 1}),
        (at(t1=0, t2=1, t3=0.2, t4=1.1), [], {1: 1, 2: 2, 3: 1, 4: 2}),
        (at(t1=0, t2=0.01, t3=0.2), [(2, 1)], {1: 1, 2: 2, 3: 2}),
        (at(t1=0, t2=0, t3=0), [(1, 2), (2, 3), (1, 3)], {1: 1, 2: 2, 3: 3}),
        (at(t1=0, t2=0.4, t3=0.8), [], {1: 1, 2: 1, 3: 2}),
    ],
    ids=["none", "one", "near", "two people", "in one frame", "a crowd of twins", "a chain"],
)
def test_groups(embeddings, apart, expected):
    assert group_tracks(embeddings, apart, threshold=0.5) == expected


def test_two_people_of_one_frame_are_never_merged_through_others():
    crowd = {n: np.array([0.001 * n]) for n in range(1, 60)}
    persons = group_tracks(crowd, [(1, 59)], threshold=0.5)
    assert persons[1] != persons[59]
    assert set(persons.values()) == {1, 2}


def test_a_pair_of_an_unknown_track_does_not_matter():
    assert group_tracks(at(t1=0, t2=0.1), [(1, 9)], threshold=0.5) == {1: 1, 2: 1}
