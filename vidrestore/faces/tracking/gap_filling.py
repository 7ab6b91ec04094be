"""Fill the gaps of a track: find where, and whether, a face was there while it went undetected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .appearance import Appearance, find_face, is_hidden

SHORT = 3  #: consecutive frames during which an undetected face is assumed to be present
OCCLUDED = 0.3  #: share of the box of an undetected face inside another face's box that makes it hidden


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face of a track in one frame, detected or found in a gap."""

    frame: int  #: number of the frame
    points: np.ndarray  #: (7, 2) float64: corners of the box, then landmarks, in pixels of the image
    appearance: Appearance
    score: float = 1.0  #: confidence of the detection in [0, 1]


@dataclass(frozen=True, slots=True)
class SearchImage:
    """The image of one frame that faces are detected in, and the boxes of known faces in it."""

    image: np.ndarray  #: (H, W, 3) uint8 BGR
    boxes: np.ndarray  #: (n, 4): x0, y0, x1, y1 in pixels of the image


class Presence(NamedTuple):
    """A frame of a track in which the face is present."""

    frame: int  #: number of the frame
    points: np.ndarray  #: (7, 2) float64, as in ``Sighting``
    continuous: bool  #: whether it was present in all frames since the previous one listed


def fill_gap(before: Sighting, after: Sighting, between: Sequence[SearchImage]) -> list[Presence]:
    """List the frames after ``before``, up to and including ``after``, in which the face is known to be.

    ``between`` holds the images of the frames in between. In a gap of up to three frames the face is assumed
    to be present, but for :func:`hidden_frames`, and the list has ``after`` only. In a longer gap it is
    searched for near the straight line from one end to the other, with its appearance at either end. It
    counts as absent where another face is detected in front of it.
    """
    present: list[Presence] = []
    last, hidden = before.frame, False
    for frame, picture in enumerate(between, before.frame + 1):
        points = _on_the_way(before, after, frame)
        if occluding(points[:2].ravel(), picture.boxes).any():
            hidden = True
        elif len(between) > SHORT:
            offset = find_face(picture.image, points[2:], (before.appearance, after.appearance))
            if offset is not None:
                continuous = not hidden and frame - last <= SHORT + 1
                present.append(Presence(frame, points + offset, continuous))
                last, hidden = frame, False
    present.append(Presence(after.frame, after.points, not hidden and after.frame - last <= SHORT + 1))
    return present


def hidden_frames(before: Sighting, after: Sighting, between: Sequence[SearchImage]) -> list[int]:
    """The frames of a gap of up to three, whose images are ``between``, in which the face is evidently hidden
    by something that passes in front of it; none of a longer one."""
    if len(between) > SHORT:
        return []
    known = before.appearance, after.appearance
    return [
        frame
        for frame, picture in enumerate(between, before.frame + 1)
        if is_hidden(picture.image, _on_the_way(before, after, frame)[2:], known)
    ]


def _on_the_way(before: Sighting, after: Sighting, frame: int) -> np.ndarray:
    """The points (7, 2) in ``frame`` on a straight line from one sighting to the other."""
    share = (frame - before.frame) / (after.frame - before.frame)
    return (1 - share) * before.points + share * after.points


def occluding(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return which of the boxes ``others`` (n, 4) cover a good part of ``box`` (4,): (n,) bool."""
    corner = np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2])
    return np.clip(corner, 0, None).prod(-1) > OCCLUDED * (box[2:] - box[:2]).prod()
