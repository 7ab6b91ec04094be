"""How restoring a face changed the light of its own frame, in broad cells over the face.

A restored face has finer detail than its input and, in the mean over a few dozen pixels, the same light. What
it lacks of that is an error, and what changes in it from one frame to the next is flicker that the input did
not have. Both follow from one small map for each face and frame.
"""

from __future__ import annotations

import base64
import math

import cv2
import numpy as np

from ..media.frames.crop import Blended

#: Cells to each side, over the rows and columns of a 512-pixel aligned face that show the face itself:
#: forehead to chin, cheek to cheek.
CELLS = 8
_ROWS, _COLUMNS, _SIDE = (112, 464), (96, 416), 512
#: Samples of a cell to each side.
_FINE = 8
#: Steps per level of 255 of a packed map, whose values are signed bytes.
_STEPS = 4


def light_change(written: Blended, matrix: np.ndarray, size: int, bits: int) -> np.ndarray:
    """The mean change of the first plane in each cell of a face: (CELLS, CELLS) float32, in levels of 255.

    ``matrix`` (3, 3) maps stored pixels of the frame to pixels of its crop of ``size`` x ``size``; ``bits``
    is the depth of the samples.
    """
    change = written.after.astype(np.float32) - written.before.astype(np.float32)
    side = CELLS * _FINE
    # From the map's samples to the crop, to the frame, and to the part of it that was written.
    (top, bottom), (left, right) = _ROWS, _COLUMNS
    scale = size / _SIDE
    to_crop = np.diag([(right - left) * scale / side, (bottom - top) * scale / side, 1.0])
    to_crop[:2, 2] = left * scale, top * scale
    to_part = np.linalg.inv(matrix) @ to_crop
    to_part[:2, 2] -= written.corner[1], written.corner[0]
    step = math.sqrt(abs(np.linalg.det(to_part[:2, :2])))
    if step > 1:  # averaged first, so that detail does not look like light
        height, width = (max(1, round(length / step)) for length in change.shape)
        to_part = np.diag([width / change.shape[1], height / change.shape[0], 1.0]) @ to_part
        change = cv2.resize(change, (width, height), interpolation=cv2.INTER_AREA)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # OpenCV's origin is the centre of a pixel
    warped = cv2.warpAffine(
        change,
        (np.linalg.inv(half) @ to_part @ half)[:2],
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    cells = warped.reshape(CELLS, _FINE, CELLS, _FINE).mean(axis=(1, 3))
    return cells * np.float32(255 / ((1 << bits) - 1))


def pack(change: np.ndarray) -> str:
    """A map as short text, in steps of a quarter of a level; changes beyond 32 levels are limited."""
    return base64.b64encode(np.clip(np.rint(change * _STEPS), -127, 127).astype(np.int8).tobytes()).decode()


def unpack(text: str) -> np.ndarray:
    """The map (CELLS, CELLS) float32 in a text by :func:`pack`."""
    return np.frombuffer(base64.b64decode(text), np.int8).reshape(CELLS, CELLS).astype(np.float32) / _STEPS
