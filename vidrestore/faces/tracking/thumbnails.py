"""How alike two frames are: compared small and grey, over their pictures without the black bars around them.

Similarity is the normalised cross-correlation of two thumbnails, maximised over small shifts. It does not
react to exposure, noise or pans, and tells frames apart in grey or dark images, where differences of colour
are small. Black bars, which are alike in all frames, would make any two pictures between them alike.
"""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 80  #: of a thumbnail in pixels
_COMPARED = 40  #: of the parts of two thumbnails that are compared
_LARGEST_SHIFT = 5  #: pixels between these two: an eighth of the picture
#: Standard deviation of the values of a picture that shows nothing.
_NOTHING = 1e-3
_FINE = 3.0  #: deviation in pixels of the Gaussian whose result counts as local brightness
_FLAT_PART = 9.0  #: variance, of 255 squared, well below which a part has no structure

#: The largest mean, of 255, and standard deviation of a row or column of a black bar.
_BLACK, _EVEN = 24.0, 1.0
_LEAST_PICTURE = 12  #: pixels of a thumbnail that a picture between bars takes in height and width

#: The first row of a part, the row after its last, and its columns likewise.
Area = tuple[int, int, int, int]


def grey_thumbnail(image: np.ndarray) -> np.ndarray:
    """(80, 80) float32 grey in [0, 255], of an image (H, W, 3) uint8 BGR of any size and aspect ratio."""
    return _resized(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32), SIDE)


def pictures(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same part of two thumbnails, (40, 40) float32 each: all of both pictures, without black bars that
    lie around both of them."""
    one, other = _picture(before), _picture(after)
    top, left = min(one[0], other[0]), min(one[2], other[2])
    bottom, right = max(one[1], other[1]), max(one[3], other[3])
    return (
        _resized(before[top:bottom, left:right].astype(np.float32), _COMPARED),
        _resized(after[top:bottom, left:right].astype(np.float32), _COMPARED),
    )


def without_light(grey: np.ndarray) -> np.ndarray:
    """The structure of ``grey`` (H, W) float32 in [0, 255], less local brightness and contrast."""
    detail = grey - cv2.GaussianBlur(grey, (0, 0), _FINE)
    energy = cv2.GaussianBlur(detail * detail, (0, 0), 1.5 * _FINE)
    return detail / np.sqrt(energy + _FLAT_PART)


def correlation(before: np.ndarray, after: np.ndarray) -> float:
    """The normalised cross-correlation of two pictures (40, 40), maximised over small shifts, in [-1, 1]."""
    inner = slice(_LARGEST_SHIFT, -_LARGEST_SHIFT)
    middle = before[inner, inner]
    if middle.std() < _NOTHING:  # OpenCV finds what has no structure everywhere
        return float(after[inner, inner].std() < _NOTHING)
    return float(cv2.matchTemplate(after, middle, cv2.TM_CCOEFF_NORMED).max())


def _picture(thumbnail: np.ndarray) -> Area:
    """The part of a thumbnail within black bars; all of it if next to nothing is left."""
    values = thumbnail.astype(np.float32)
    top, bottom = _between_bars(values)
    if bottom - top >= _LEAST_PICTURE:
        left, right = _between_bars(values[top:bottom].T)
        if right - left >= _LEAST_PICTURE:
            return top, bottom, left, right
    return 0, SIDE, 0, SIDE


def _between_bars(values: np.ndarray) -> tuple[int, int]:
    """The first row that belongs to no bar, and the one after the last."""
    shown = np.flatnonzero((values.mean(axis=1) > _BLACK) | (values.std(axis=1) > _EVEN))
    return (int(shown[0]), int(shown[-1]) + 1) if len(shown) else (0, 0)


def _resized(image: np.ndarray, side: int) -> np.ndarray:
    smaller = min(image.shape) >= side
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
