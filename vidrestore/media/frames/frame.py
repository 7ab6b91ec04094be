"""One decoded frame: its planes, its time, and which way up it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np

from .colour import Colour
from .crop import PlanarImage
from .pixel_format import planar_format, plane_views


@dataclass(slots=True)
class Frame:
    """One decoded frame, in a planar format."""

    index: int  #: counted from 0, the first one that is wanted
    video: av.VideoFrame
    colour: Colour
    context: bool = False  #: outside the part that is wanted, to look at only
    _editable: bool = field(default=False, repr=False)

    @property
    def time(self) -> Fraction:
        """Presentation time in seconds."""
        return self.video.pts * self.video.time_base

    @property
    def turns(self) -> int:
        """Quarter turns counter-clockwise from the stored picture to the displayed one, 0 to 3."""
        return round(self.video.rotation / 90) % 4

    @property
    def upright(self) -> np.ndarray:
        """(3, 3) map from stored pixels to pixels as displayed: a rotation by quarter turns."""
        width, height = self.video.width, self.video.height
        return np.array(
            {
                0: ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
                1: ((0, 1, 0), (-1, 0, width), (0, 0, 1)),
                2: ((-1, 0, width), (0, -1, height), (0, 0, 1)),
                3: ((0, -1, height), (1, 0, 0), (0, 0, 1)),
            }[self.turns],
            float,
        )

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as displayed."""
        size = (self.video.width, self.video.height)
        return size[::-1] if self.turns % 2 else size

    def image(self, *, editable: bool = False) -> PlanarImage:
        """The planes. With ``editable`` they are this frame's alone: a decoder keeps its frames to
        predict later ones from, so what is written to must be a copy."""
        if editable and not self._editable:
            self.video.make_writable()
            self._editable = True
        form = planar_format(self.video.format.name)
        return PlanarImage(plane_views(self.video), form, self.colour)
