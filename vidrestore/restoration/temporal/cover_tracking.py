"""Hold the map of what lies over a face steady over the frames around it.

A logo that is half transparent, a scratch in dark hair: what lies over a face is seen clearly in some frames
and barely in others. Where it is barely seen here but clearly close by in time, it lies here too. What is not
seen here at all does not, so that a hand is left behind by its map no more than by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from ..fidelity.covers import SIDE, STRONG, WEAK, any_strong, widened
from .face_crop import FaceCrop, Source
from .motion import View

REACH = 3  #: frames to each side whose covers count

#: Pixels of a map by which what moves may be elsewhere in a neighbouring frame.
_MOVES = 2


def steady_cover(face: FaceCrop[Source], around: Sequence[tuple[int, FaceCrop[Source]]]) -> FaceCrop[Source]:
    """``face`` with a binary map of covers, (SIDE, SIDE) uint8, or None if nothing lies over it."""
    here = face.cover
    neighbours = [other for _, other in around if other.cover is not None and any_strong(other.cover)]
    if here is None or not (any_strong(here) or neighbours):
        return replace(face, cover=None)
    covered = (here == STRONG).astype(np.uint8)
    close_by = np.zeros_like(covered)
    for other in neighbours:
        assert other.cover is not None
        there = (other.cover == STRONG).astype(np.uint8)
        # It moves with the face, or it stays where it is in the frame.
        close_by |= there | _as_in_scene(there, other.view, face.view)
    barely = widened(close_by, _MOVES) & (here == WEAK)
    covered |= widened(barely, _MOVES)
    return replace(face, cover=covered if covered.any() else None)


def _as_in_scene(area: np.ndarray, there: View, here: View) -> np.ndarray:
    """An area of the map of ``there``, where it lies on ``here`` if it has not moved in the frame."""
    return cv2.warpAffine(area, there.to(here, SIDE), (SIDE, SIDE), flags=cv2.INTER_NEAREST)
