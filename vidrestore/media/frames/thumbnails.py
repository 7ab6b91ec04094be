"""Small upright images of frames, for face detection."""

from __future__ import annotations

import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from .frame import Frame

_LIMITED, _FULL = 1, 2  # AVColorRange


class Thumbnails:
    """Makes small upright BGR images of frames; HDR is tone-mapped to SDR. Use one for a whole video."""

    def __init__(self, width: int, height: int) -> None:
        """``width`` and ``height``: the size of the upright image in pixels."""
        self._size = (width, height)
        self._reformatter = VideoReformatter()

    def __call__(self, frame: Frame) -> np.ndarray:
        """(height, width, 3) uint8."""
        width, height = self._size[::-1] if frame.turns % 2 else self._size
        colour = frame.colour
        small = self._reformatter.reformat(
            frame.video,
            width,
            height,
            "bgr24",
            # The frame's own tags may be of a matrix that the scaler refuses, or be missing.
            src_colorspace=colour.swscale_matrix,
            src_color_range=_FULL if colour.full_range or frame.video.format.is_rgb else _LIMITED,
            interpolation=Interpolation.BILINEAR,
        )
        image = np.asarray(small.to_ndarray(), np.uint8)
        if frame.colour.transfer:
            image = frame.colour.transfer.lookup_table[image]
        return np.ascontiguousarray(np.rot90(image, frame.turns))
