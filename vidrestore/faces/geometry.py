"""The geometry of a face's box and landmarks: how far it is rolled, and whether its points fit a face.

Measured on photographs of faces in all poses, clean and degraded, as shares of the size of the box: found
upright, the landmarks spread by 0.21 or more and eyes and mouth are 0.34 or more apart, whether the head is
turned aside or not. Found in an orientation that the detector does not know, the landmarks bunch together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Each criterion of :func:`fit`: the value at which a face does not fit, and the one from which it fits.
_SPREAD = (0.15, 0.18)
_EYES_TO_MOUTH = (0.20, 0.27)
_NOSE_ABOVE_MOUTH = (0.02, 0.07)
_NOSE_BELOW_EYES = (-0.06, 0.02)
_FAR_FROM_CENTRE = (0.40, 0.33)
_MIRRORED = (0.0, 0.01)


def face_size(box: np.ndarray) -> float:
    """The square root of the area of ``box`` (4,)."""
    return float(np.sqrt(max(box[2] - box[0], 1e-3) * max(box[3] - box[1], 1e-3)))


def centre(box: np.ndarray) -> np.ndarray:
    """The centre (2,) of ``box`` (4,)."""
    return (box[:2] + box[2:]) / 2


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """The share of the smaller of two boxes (4,) that lies inside the other, in [0, 1]."""
    shared = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return float(shared / min(face_size(a), face_size(b)) ** 2)


def roll(landmarks: np.ndarray) -> float:
    """How far a face with ``landmarks`` (5, 2) is rolled, in radians in (-pi, pi]: 0 for an upright face,
    positive for one turned clockwise in the image.

    The line of the eyes and the line from the eyes to the mouth count by their lengths, so that a head turned
    aside, whose eyes come close together, has a reliable roll too.
    """
    along = landmarks[1] - landmarks[0]
    down = landmarks[3:].mean(axis=0) - landmarks[:2].mean(axis=0)
    return float(np.arctan2(along[1] - down[0], along[0] + down[1]))


def roll_between(a: float, b: float) -> float:
    """The angle between two rolls, in radians in [0, pi]."""
    return float(abs(np.angle(np.exp(1j * (a - b)))))


def median_roll(rolls: Sequence[float]) -> float:
    """The median of at least one roll, in radians in (-pi, pi]: of their differences from the mean direction,
    because the rolls of a face that is upside down are near pi and near -pi."""
    turns = np.exp(1j * np.asarray(rolls))
    mean = np.angle(turns.sum())
    middle = mean + np.median(np.angle(turns * np.exp(-1j * mean)))
    return float(np.pi - (np.pi - middle) % (2 * np.pi))


def turned_box(box: np.ndarray, angle: float) -> np.ndarray:
    """The box (4,) around the ellipse inscribed in ``box`` (4,) after a turn by ``angle`` radians around its
    centre. It changes smoothly with the angle, and its area changes little."""
    across, down = (box[2:] - box[:2]) / 2
    cos, sin = np.cos(angle), np.sin(angle)
    half = np.sqrt([(across * cos) ** 2 + (down * sin) ** 2, (across * sin) ** 2 + (down * cos) ** 2])
    return np.concatenate([centre(box) - half, centre(box) + half])


def fit(box: np.ndarray, landmarks: np.ndarray) -> float:
    """How well ``landmarks`` (5, 2) fit ``box`` (4,) and each other, in [0, 1]; 0 if they are not a face's.

    In the face's own frame the mouth is below the nose and the nose below the eyes, left is left and right is
    right, and the points lie around the centre of the box, as far apart as its size suggests.
    """
    points = (landmarks - centre(box)) / face_size(box)
    middle = points.mean(axis=0)
    eyes, nose, mouth = points[:2].mean(axis=0), points[2], points[3:].mean(axis=0)
    turn = roll(landmarks)
    down = np.array([-np.sin(turn), np.cos(turn)])
    along, to_mouth = points[1] - points[0], mouth - eyes
    return min(
        _ramp(np.sqrt(((points - middle) ** 2).sum(axis=1).mean()), *_SPREAD),
        _ramp(np.linalg.norm(to_mouth), *_EYES_TO_MOUTH),
        _ramp((mouth - nose) @ down, *_NOSE_ABOVE_MOUTH),
        _ramp((nose - eyes) @ down, *_NOSE_BELOW_EYES),
        _ramp(np.linalg.norm(middle), *_FAR_FROM_CENTRE),
        _ramp(along[0] * to_mouth[1] - along[1] * to_mouth[0], *_MIRRORED),
    )


def _ramp(value: float | np.floating, none: float, full: float) -> float:
    """0 at ``none``, 1 at ``full``, and linear between them."""
    return float(np.clip((value - none) / (full - none), 0.0, 1.0))
