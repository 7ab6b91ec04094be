"""Faces that are close to one another in a frame: each tells of the others, which keep what is theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from .face import Face, Neighbour
from .geometry import centre, face_size

#: Distance of two faces' middles, as a share of the larger one's size, up to which the crop of one shows the
#: other: a crop is about two and a half faces wide.
_NEAR = 2.5


def with_neighbours(faces: Sequence[Face], left_alone: Iterable[Face] = ()) -> list[Face]:
    """The ``faces`` of a frame, each with those of the others, and of the faces that are ``left_alone`` in
    it, that are near."""
    everyone = [*faces, *left_alone]
    return [
        replace(face, neighbours=tuple(_neighbour(other) for other in everyone if _is_near(face, other)))
        for face in faces
    ]


def _is_near(face: Face, other: Face) -> bool:
    if other is face:
        return False
    distance = float(np.linalg.norm(centre(face.box) - centre(other.box)))
    return distance <= _NEAR * max(face_size(face.box), face_size(other.box))


def _neighbour(face: Face) -> Neighbour:
    return Neighbour(face.landmarks, face.strength)
