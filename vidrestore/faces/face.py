"""The words of this room: a detection in one frame, and a face of a track.

Coordinates are pixels of the frame as it is stored, with (0, 0) the top left corner of the picture, so
that the first pixel's centre is (0.5, 0.5) and resizing a picture is a plain multiplication.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Detection:
    """One face that the detector sees in one frame."""

    box: np.ndarray  #: (4,) float32: x0, y0, x1, y1
    score: float  #: confidence in [0, 1]
    landmarks: np.ndarray  #: (5, 2) float32: left eye, right eye, nose, left and right mouth corner

    def scaled(self, sx: float, sy: float) -> Detection:
        """The same detection in a picture ``sx`` times as wide and ``sy`` times as high."""
        factors = np.array([sx, sy], np.float32)
        return Detection(self.box * np.tile(factors, 2), self.score, self.landmarks * factors)


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a track in one frame: what alignment, restoration and paste-back work on."""

    track: int  #: id, unique within a run, counted from 1
    box: np.ndarray  #: (4,) float32, smoothed
    landmarks: np.ndarray  #: (5, 2) float32, smoothed
    strength: float = 1.0  #: in (0, 1]: below 1 while the face fades in or out


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """What a person can set for one track."""

    w: float | None = None  #: fidelity weight in [0, 1]; None is the run's
    skip: bool = False  #: leave this face as it is
    name: str | None = None
