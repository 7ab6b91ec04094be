"""Small upright pictures of frames, for face detection."""

from __future__ import annotations

import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from .frame import Frame


class Thumbnails:
    """Small upright BGR pictures of frames, for detection, of HDR as SDR shows it. One is kept for a whole
    video."""

    def __init__(self, width: int, height: int) -> None:
        """``width`` and ``height``: the size of the upright picture in pixels."""
        self._size = (width, height)
        self._reformatter = VideoReformatter()

    def __call__(self, frame: Frame) -> np.ndarray:
        """(height, width, 3) uint8."""
        width, height = self._size[::-1] if frame.turns % 2 else self._size
        small = self._reformatter.reformat(
            frame.video, width, height, "bgr24", interpolation=Interpolation.BILINEAR
        ).to_ndarray()
        if frame.colour.transfer:
            small = frame.colour.transfer.curve[small]
        return np.ascontiguousarray(np.rot90(small, frame.turns))
