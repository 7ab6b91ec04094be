"""Name the persons whom photographs show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def nearest_persons(
    photos: Mapping[str, np.ndarray], persons: Mapping[int, np.ndarray]
) -> dict[str, tuple[int, float]]:
    """The person whom each photograph shows best, and the distance of the two.

    The nearest pair is chosen first, so that a person gets one name. A photograph is left out if all persons
    are chosen.

    Args:
        photos: The embedding of each photograph, (D,), by the name of whom it shows.
        persons: The mean embedding of each person, (D,), by number.

    >>> ada, bob = np.array([0.0]), np.array([1.0])
    >>> nearest_persons({"Bob": np.array([0.75]), "Ada": np.array([0.5])}, {1: ada, 2: bob})
    {'Bob': (2, 0.25), 'Ada': (1, 0.5)}
    """
    pairs = sorted(
        (float(np.linalg.norm(photo - face)), name, person)
        for name, photo in photos.items()
        for person, face in persons.items()
    )
    chosen: dict[str, tuple[int, float]] = {}
    for distance, name, person in pairs:
        if name not in chosen and person not in {number for number, _ in chosen.values()}:
            chosen[name] = (person, distance)
    return chosen
