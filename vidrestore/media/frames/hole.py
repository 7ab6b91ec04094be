"""Holes of a frame: the pixels that are missing, and that alone may be written."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from .colour import Colour
from .crop import PlanarImage
from .pixel_format import planar_format

#: Steps of 8-bit samples by which a pixel may miss white: what lossy compression changes in a white area.
_WHITE = 2.0
#: Side in pixels of the smallest square that is a hole: catchlights in eyes and bright noise are smaller.
_LEAST = 3
#: Share of a crop's pixel from which on it counts as missing.
_ANY = 0.05


@dataclass(frozen=True)
class Hole:
    """The missing pixels of a frame, as stored; eight to a byte, as many frames are under way at a time."""

    packed: np.ndarray  #: uint8
    shape: tuple[int, int]  #: height and width of the frame

    @classmethod
    def of(cls, missing: np.ndarray) -> Hole:
        """The hole of the pixels that are not 0 in ``missing`` (H, W)."""
        height, width = missing.shape
        return cls(np.packbits(missing != 0), (height, width))

    @classmethod
    def of_white(cls, image: PlanarImage) -> Hole:
        """The hole of all that is pure white in a frame, but for specks."""
        form = image.format
        bits, planes = form.bits, image.planes[: 3 if form.is_rgb else 1]
        # Luma as high as that has no colour.
        white = (1 << bits) - 1 if form.is_rgb else float(image.colour.luma_to_code(torch.ones(()), bits))
        missing = np.minimum.reduce(planes) >= white - _WHITE * (1 << (bits - 8))
        square = np.ones((_LEAST, _LEAST))
        large = cv2.morphologyEx(missing.astype(np.uint8), cv2.MORPH_OPEN, square)
        return cls.of(missing & (cv2.dilate(large, square) > 0))

    def missing(self) -> np.ndarray:
        """(H, W) bool: the missing pixels."""
        height, width = self.shape
        return np.unpackbits(self.packed, count=height * width).view(bool).reshape(self.shape)

    def enlarged(self, factor: int) -> Hole:
        """The hole of a frame ``factor`` times as wide and as high."""
        missing = np.repeat(np.repeat(self.missing(), factor, 0), factor, 1)
        return Hole.of(missing)

    def read(self, matrix: np.ndarray, size: int) -> np.ndarray:
        """(size, size) bool: the pixels of a crop that show any of it. ``matrix`` as for
        :meth:`PlanarImage.read`."""
        plane = self.missing().view(np.uint8) * np.uint8(255)
        image = PlanarImage([plane], planar_format("gray"), Colour(full_range=True))
        return (image.read(matrix, size)[0] > _ANY).numpy()
