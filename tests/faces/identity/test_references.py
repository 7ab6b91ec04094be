"""Photographs and the persons whom they show."""

from __future__ import annotations

import numpy as np
import pytest

from vidrestore.faces.identity.references import nearest_persons


@pytest.mark.parametrize(
    ("photos", "persons", "chosen"),
    [
        ({"Ada": 0.1, "Bob": 0.9}, {1: 0.0, 2: 1.0}, {"Ada": (1, 0.1), "Bob": (2, 0.1)}),
        ({"Ada": 0.1, "Bob": 0.3}, {1: 0.0, 2: 1.0}, {"Ada": (1, 0.1), "Bob": (2, 0.7)}),
        ({"Ada": 0.4, "Bob": 0.0}, {1: 0.0}, {"Bob": (1, 0.0)}),
        ({"Ada": 0.4}, {}, {}),
        ({}, {1: 0.0}, {}),
    ],
    ids=["each the nearest", "one name for each person", "more photographs", "nobody", "no photograph"],
)
def test_each_is_the_nearest_that_is_left(photos, persons, chosen):
    found = nearest_persons(
        {name: np.array([place, 0.0]) for name, place in photos.items()},
        {number: np.array([place, 0.0]) for number, place in persons.items()},
    )
    assert {name: (number, round(distance, 6)) for name, (number, distance) in found.items()} == chosen
