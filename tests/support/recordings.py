"""A small recording of two tracks."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from tests.support.moving import face_points
from vidrestore.faces.face import Face
from vidrestore.faces.recorded.recording import Origin, Recording

ORIGIN = Origin(
    name="Łódź.mkv", width=640, height=360, time_base=Fraction(1, 1000), begin=Fraction(1), start=2.0, end=7.5
)


STEP = 40  #: ticks from frame to frame


def face(track: int, x: float, strength: float = 1.0) -> Face:
    """A face of a track, centred at x; the size is 100 pixels times the id of the track."""
    points = face_points(x, 200.0, 100.0 * track).astype(np.float32)
    return Face(track, points[:2].ravel(), points[2:], strength)


def recording(frames: int = 30) -> Recording:
    """Track 1 in all frames but the last, track 2 in the first ten; frame n has the timestamp 3000 + 40 n."""
    made = Recording(ORIGIN)
    for number in range(frames - 1):
        # What was found in every other frame is known.
        score = 0.75 if number % 2 else None
        faces = [replace(face(1, 100 + number / 3, min(1.0, (number + 1) / 6)), score=score)]
        made.add(3000 + STEP * number, faces + [face(2, 400 + number / 7)] * (number < 10))
    made.add(3000 + STEP * (frames - 1), [])
    return made
