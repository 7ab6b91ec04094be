"""The data types of this room: a detection in one frame, a face of a track, and what people set for faces.

Coordinates are pixels (x, y) of the upright frame, the one that is displayed. (0, 0) is the top left corner
of the image, so the centre of the first pixel is (0.5, 0.5), and resizing an image multiplies coordinates by
the scale factor without an offset.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, slots=True)
class Detection:
    """One face found by the detector in one image."""

    box: np.ndarray  #: (4,) float32: x0, y0, x1, y1 in pixels of the image
    score: float  #: confidence in [0, 1]
    #: (5, 2) float32 in pixels of the image: left eye, right eye, nose, left and right mouth corner, where
    #: left and right are as seen in the image
    landmarks: np.ndarray
    #: Whether copies of it in several turns were looked at, so that it is not taken for upright by mistake.
    checked: bool = False

    def scaled(self, sx: float, sy: float) -> Detection:
        """Return this detection for an image that is ``sx`` times as wide and ``sy`` times as high."""
        factors = np.array([sx, sy], np.float32)
        return replace(self, box=self.box * np.tile(factors, 2), landmarks=self.landmarks * factors)

    def moved(self, offset: np.ndarray) -> Detection:
        """Return this detection for an image in which it lies ``offset`` (2,) pixels further."""
        return replace(self, box=self.box + np.tile(offset, 2), landmarks=self.landmarks + offset)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a person sets for some faces; None leaves it to whatever is less specific."""

    w: float | None = None  #: fidelity weight in [0, 1]
    strength: float | None = None  #: opacity of the restored face over the input, in [0, 1]
    skip: bool | None = None  #: leave the face unrestored
    restorer: str | None = None  #: name of the model that restores it

    def over(self, other: Adjustment) -> Adjustment:
        """This adjustment, completed by ``other`` where it sets nothing."""
        return Adjustment(
            other.w if self.w is None else self.w,
            other.strength if self.strength is None else self.strength,
            other.skip if self.skip is None else self.skip,
            other.restorer if self.restorer is None else self.restorer,
        )


#: The adjustment that sets nothing.
UNADJUSTED = Adjustment()


class Neighbour(NamedTuple):
    """Another face in the same frame, close by."""

    landmarks: np.ndarray  #: (5, 2) float, ordered as in ``Detection``
    strength: float  #: in (0, 1]: below 1 while it fades in or out


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a track in one frame: the input of alignment, restoration and paste-back."""

    track: int  #: id of its track, unique within a run, counted from 1
    box: np.ndarray  #: (4,) float32: x0, y0, x1, y1 in pixels of the upright frame, smoothed over time
    landmarks: np.ndarray  #: (5, 2) float32, ordered as in ``Detection``, in the same pixels, smoothed
    strength: float = 1.0  #: opacity in (0, 1] of the paste-back: below 1 while the face fades in or out
    adjustment: Adjustment = UNADJUSTED  #: what a person set for this face at this time
    #: Confidence of its detection in this frame, in [0, 1]: 0 if it was not detected, and its place follows
    #: from the frames around it. None: not known.
    score: float | None = None
    reference: tuple[float, ...] | None = None  #: of its person, see ``PersonSettings``
    neighbours: tuple[Neighbour, ...] = ()  #: in the same pixels


@dataclass(frozen=True, slots=True)
class Span:
    """An adjustment of one track for part of its time."""

    start: float  #: first moment, in seconds from the beginning of the timeline
    end: float  #: last moment, in the same seconds, inclusive
    adjustment: Adjustment


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """What a person can set for one track."""

    adjustment: Adjustment = UNADJUSTED
    name: str | None = None
    person: int | None = None  #: id of the person that the track shows; None: not known
    spans: tuple[Span, ...] = ()  #: of two that overlap, the later one in this order counts


@dataclass(frozen=True, slots=True)
class PersonSettings:
    """What can be set for one person, who may appear in several tracks."""

    adjustment: Adjustment = UNADJUSTED
    name: str | None = None
    #: Embedding of a photograph of the person (see :class:`.identity.embedding.IdentityEmbedding`): restored
    #: faces must stay as close to it as the input is. None: there is no photograph.
    reference: tuple[float, ...] | None = None
