"""Detect hard cuts between shots, frame by frame in a stream."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from scenedetect import ContentDetector, FrameTimecode

from .thumbnails import correlation, grey_thumbnail, pictures, without_light

CONTENT_SIDE = 256  #: longer side in pixels for PySceneDetect's score, as PySceneDetect itself has it

# Similarity of frames, see thumbnails.py. Measured: at least 0.8 between frames of one shot under flashes,
# fast pans and heavy noise; below 0.75 in 98 to 99 % of pairs of different portraits with the same framing.
CUT_BELOW = 0.75  #: a lower similarity is a cut, whatever the colours
CUT_BELOW_WITH_COLOUR = 0.85  #: a lower similarity is a cut if the colours changed too
FLAT = 1.0  #: standard deviation, of 255, below which a picture has no structure
# A flash that overexposes a picture, and a lamp that lights one side of it, lower that similarity as cuts
# do. That of the structure without light decides then. Measured on 450 pictures: of the same picture
# overexposed to 2.4 times its brightness at least 0.65 in 89 %, lit from one side in all; of 8 500 pairs of
# different pictures in none, even with the same letters or black bars in both.
SAME_STRUCTURE = 0.65  #: a higher similarity without light is no cut


class ShotDetector:
    """Tells for each frame, without delay, whether it starts a new shot after a hard cut.

    Combines two measures of the change from the previous frame: PySceneDetect's content score, which compares
    colours, and the similarity of structure.
    """

    def __init__(self) -> None:
        # With a minimum scene length, PySceneDetect would merge cuts and report them late.
        self._content = ContentDetector(min_scene_len=0)
        self._frame = 0
        self._thumbnail: np.ndarray | None = None

    def __call__(self, image: np.ndarray) -> bool:
        """Return whether the next frame, (H, W, 3) uint8 BGR, starts a new shot. The first frame does."""
        reduction = min(1.0, CONTENT_SIDE / max(image.shape[:2]))
        reduced = _resized(image, round(image.shape[1] * reduction), round(image.shape[0] * reduction))
        colours_changed = bool(self._content.process_frame(FrameTimecode(self._frame, fps=25.0), reduced))
        self._frame += 1

        previous, self._thumbnail = self._thumbnail, grey_thumbnail(image)
        if previous is None:
            return True
        limit = CUT_BELOW_WITH_COLOUR if colours_changed else CUT_BELOW
        before, after = pictures(previous, self._thumbnail)
        return (
            _similarity(before, after) < limit and _similarity(before, after, without_light) < SAME_STRUCTURE
        )


def _similarity(
    before: np.ndarray, after: np.ndarray, structure: Callable[[np.ndarray], np.ndarray] = np.asarray
) -> float:
    """That of the ``structure`` of two pictures, in [-1, 1]. Two flat ones have similarity 1, a flat one and
    one with structure 0."""
    flat = [float(picture.std()) < FLAT for picture in (before, after)]
    if any(flat):
        return float(all(flat))
    return correlation(structure(before), structure(after))


def _resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(image, (max(1, width), max(1, height)), interpolation=cv2.INTER_AREA)
