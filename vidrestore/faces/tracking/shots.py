"""Finding the cuts between shots, frame by frame as they come."""

from __future__ import annotations

import cv2
import numpy as np
from scenedetect import ContentDetector, FrameTimecode

CONTENT_SIDE = 256  #: pixels of the longer side that PySceneDetect's score is computed at, as it does itself

# Likeness is the normalised cross-correlation of two grey thumbnails, the best of all small shifts: it
# takes no note of exposure, noise or a pan, and sees a cut in grey or dark pictures, where a difference
# of colours is small. Measured: 0.8 and more between frames of one shot under flashes, fast pans and
# heavy noise; below 0.75 in 98 to 99 % of pairs of different portraits, all framed alike.
THUMBNAIL_SIDE = 40
LARGEST_SHIFT = 5  #: an eighth of the picture, between two frames
UNLIKE = 0.75  #: a cut whatever the colours
DOUBTFUL = 0.85  #: a cut if the colours changed as well
FLAT = 1.0  #: standard deviation, of 255, below which a thumbnail shows nothing


class ShotDetector:
    """Tells, frame by frame, where a new shot starts: at hard cuts, on the very frame.

    Two views of the change from the frame before: PySceneDetect's content score, which is of colours,
    and the likeness of the pictures' structure.
    """

    def __init__(self) -> None:
        # Without a least length of scenes the detector neither merges cuts nor reports them late.
        self._content = ContentDetector(min_scene_len=0)
        self._frame = 0
        self._thumbnail: np.ndarray | None = None

    def __call__(self, image: np.ndarray) -> bool:
        """Whether the next frame, (H, W, 3) uint8 BGR, starts a new shot. The first one does."""
        reduction = min(1.0, CONTENT_SIDE / max(image.shape[:2]))
        reduced = _resized(image, round(image.shape[1] * reduction), round(image.shape[0] * reduction))
        colours_changed = bool(self._content.process_frame(FrameTimecode(self._frame, fps=25.0), reduced))
        self._frame += 1

        previous, self._thumbnail = self._thumbnail, _thumbnail(image)
        if previous is None:
            return True
        return _likeness(previous, self._thumbnail) < (DOUBTFUL if colours_changed else UNLIKE)


def _likeness(before: np.ndarray, after: np.ndarray) -> float:
    """In [-1, 1]. Two flat pictures are alike; a flat one is like nothing else."""
    flat = [float(thumbnail.std()) < FLAT for thumbnail in (before, after)]
    if any(flat):
        return float(all(flat))
    middle = before[LARGEST_SHIFT:-LARGEST_SHIFT, LARGEST_SHIFT:-LARGEST_SHIFT]
    return float(cv2.matchTemplate(after, middle, cv2.TM_CCOEFF_NORMED).max())


def _thumbnail(image: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return _resized(grey, THUMBNAIL_SIDE, THUMBNAIL_SIDE)


def _resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(image, (max(1, width), max(1, height)), interpolation=cv2.INTER_AREA)
