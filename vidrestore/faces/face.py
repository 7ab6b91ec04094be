"""The data types of this room: a detection in one frame, a face of a track, and the settings of a track.

Coordinates are pixels (x, y) of the upright frame, the one that is displayed. (0, 0) is the top left corner
of the image, so the centre of the first pixel is (0.5, 0.5), and resizing an image multiplies coordinates by
the scale factor without an offset.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Detection:
    """One face found by the detector in one image."""

    box: np.ndarray  #: (4,) float32: x0, y0, x1, y1 in pixels of the image
    score: float  #: confidence in [0, 1]
    #: (5, 2) float32 in pixels of the image: left eye, right eye, nose, left and right mouth corner, where
    #: left and right are as seen in the image
    landmarks: np.ndarray

    def scaled(self, sx: float, sy: float) -> Detection:
        """Return this detection for an image that is ``sx`` times as wide and ``sy`` times as high."""
        factors = np.array([sx, sy], np.float32)
        return Detection(self.box * np.tile(factors, 2), self.score, self.landmarks * factors)


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a track in one frame: the input of alignment, restoration and paste-back."""

    track: int  #: id of its track, unique within a run, counted from 1
    box: np.ndarray  #: (4,) float32: x0, y0, x1, y1 in pixels of the upright frame, smoothed over time
    landmarks: np.ndarray  #: (5, 2) float32, ordered as in ``Detection``, in the same pixels, smoothed
    strength: float = 1.0  #: opacity in (0, 1] of the paste-back: below 1 while the face fades in or out


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """What a person can set for one track."""

    w: float | None = None  #: fidelity weight in [0, 1]; None: the one of the run
    skip: bool = False  #: leave this face unrestored
    name: str | None = None
