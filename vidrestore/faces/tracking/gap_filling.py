"""Closing the gaps in which a face went undetected: where it was all the same, and whether it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .appearance import Look, find

SHORT = 3  #: frames in a row that a face is taken to be there without a sign of it
COVERED = 0.3  #: share of an unseen face's box within another face's that says it is hidden by it


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face of a track in one frame, detected or found in a gap."""

    frame: int
    points: np.ndarray  #: (7, 2) float64: the box's corners and the landmarks, in the picture's pixels
    look: Look


@dataclass(frozen=True, slots=True)
class Picture:
    """What a frame shows: the picture that faces are detected in, and what was detected."""

    image: np.ndarray  #: (H, W, 3) uint8 BGR
    boxes: np.ndarray  #: (n, 4), in its pixels


def close(
    before: Sighting, after: Sighting, between: Sequence[Picture]
) -> list[tuple[int, np.ndarray, bool]]:
    """The gap's frames in which the face is there, and ``after``'s: frame, points (7, 2), and whether it
    was there all the time since the one listed before.

    ``between`` are the pictures of the frames in between. In a gap of up to three frames the face is taken
    to be there. In a longer one it is looked for, near the straight way from one end to the other and
    looking as it does at either end. It is not there where another face is seen in front of it.
    """
    listed: list[tuple[int, np.ndarray, bool]] = []
    last, hidden = before.frame, False
    for frame, picture in enumerate(between, before.frame + 1):
        share = (frame - before.frame) / (after.frame - before.frame)
        points = (1 - share) * before.points + share * after.points
        if covered(points[:2].ravel(), picture.boxes).any():
            hidden = True
        elif len(between) > SHORT:
            shift = find(picture.image, points[2:], (before.look, after.look))
            if shift is not None:
                listed.append((frame, points + shift, not hidden and frame - last <= SHORT + 1))
                last, hidden = frame, False
    listed.append((after.frame, after.points, not hidden and after.frame - last <= SHORT + 1))
    return listed


def covered(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which of the boxes ``others`` (n, 4) cover a good part of ``box`` (4,), (n,) bool."""
    corner = np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2])
    return np.clip(corner, 0, None).prod(-1) > COVERED * (box[2:] - box[:2]).prod()
