"""A decoded frame: its planes, its presentation time and its orientation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

import av
import numpy as np

from .colour import Colour
from .crop import PlanarImage
from .hole import Hole
from .pixel_format import planar_format, plane_views


def presentation_time(video: av.VideoFrame) -> Fraction:
    """The time of a decoded frame in seconds. The decoder gives every frame a timestamp."""
    assert video.pts is not None
    assert video.time_base is not None
    return video.pts * video.time_base


def displayed(plane: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """A view of a stored plane (H, W) as it is displayed. ``turns`` are those of a frame."""
    turned = np.rot90(plane, turns)
    return turned[:, ::-1] if mirrored else turned


def stored(plane: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """A view of a displayed plane (H, W) as it is stored: what undoes :func:`displayed`."""
    return np.rot90(plane[:, ::-1] if mirrored else plane, -turns)


@dataclass(slots=True)
class Frame:
    """A decoded frame in a planar pixel format."""

    index: int  #: 0 is the first frame of the span
    video: av.VideoFrame
    colour: Colour
    context: bool = False  #: outside the span: to be looked at, not to be written
    #: Kinds of side data: captions, metadata. Read once, as PyAV's is invalid after the frame was edited.
    side_data: frozenset[str] = frozenset()
    hole: Hole | None = None  #: its pixels that are missing, which alone may be written; None: all may
    aspect: float = 1.0  #: width of a stored pixel relative to its height, as it is displayed
    mirrored: bool = False  #: its display matrix mirrors it, see :func:`.side_data.is_mirrored`
    _editable: bool = field(default=False, repr=False)

    @property
    def time(self) -> Fraction:
        """Presentation time in seconds."""
        return presentation_time(self.video)

    @property
    def turns(self) -> int:
        """Quarter turns counter-clockwise from the stored image to the displayed one, 0 to 3; of a mirrored
        frame to the displayed one before it was mirrored."""
        turns = round(self.video.rotation / 90) % 4
        # FFmpeg's angle is that of the stored rows, which a matrix without a quarter turn flips as well.
        return (turns + 2) % 4 if self.mirrored and turns % 2 == 0 else turns

    @property
    def is_mirrored(self) -> bool:
        """Whether it is displayed mirrored, after it was turned."""
        return self.mirrored

    @property
    def upright(self) -> np.ndarray:
        """(3, 3) map from stored pixels to displayed pixels: a rotation by quarter turns."""
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
        width, height = self.video.width, self.video.height
        return (height, width) if self.turns % 2 else (width, height)

    @property
    def upright_aspect(self) -> float:
        """Width of a displayed pixel relative to its height."""
        return 1 / self.aspect if self.turns % 2 else self.aspect

    def like(self, video: av.VideoFrame) -> Frame:
        """Another frame in the place of this one, with samples that nobody else uses."""
        return replace(self, video=video, _editable=True)

    def image(self, *, editable: bool = False, keeps_luma: bool = False) -> PlanarImage:
        """The frame's planes. They may be written to only with ``editable``: the decoder predicts later
        frames from this one, so it is copied first. With ``keeps_luma`` colours only are blended into it."""
        if editable and not self._editable:
            self.video.make_writable()
            self._editable = True
        return PlanarImage(
            plane_views(self.video),
            planar_format(self.video.format.name),
            self.colour,
            keeps_luma,
            missing=self.hole.missing() if self.hole and editable else None,
        )
