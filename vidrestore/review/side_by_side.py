"""Two versions of a frame in one: side by side, or divided by a line that moves; below a strip with labels.

Samples of the versions are copied, never converted, so each is in the result as it was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import av
import cv2
import numpy as np

from ..media.frames.colour import Colour
from ..media.frames.frame import Frame, displayed, stored
from ..media.frames.pixel_format import PixelFormat, planar_format, plane_views
from ..media.presentation import Presentation
from ..media.source_video import SourceVideo
from .drawing import text_width, write_text

#: What a comparison can look like.
LAYOUTS = ("side-by-side", "wipe")
#: Seconds in which the line of a wipe moves there and back, and its width in pixels.
_PERIOD, _LINE = 6.0, 4
#: Sizes are multiples of this, which every chroma subsampling and encoder divides.
_UNIT = 8
#: Height of the strip relative to the width of the picture, and at least, in pixels.
_STRIP, _LEAST_STRIP = 1 / 32, 24
#: Text and background in SDR and HDR, as shares of the range: white in HDR would glare.
_TEXT, _TEXT_HDR, _BACK = 0.85, 0.5, 0.07


@dataclass
class Comparer:
    """Puts two versions of each frame of ``source`` into one picture."""

    source: SourceVideo
    layout: str = LAYOUTS[0]
    _strips: dict[tuple[str, ...], np.ndarray] = field(default_factory=dict, init=False, repr=False)

    @property
    def _upright(self) -> tuple[int, int]:
        """Height and width of one version as displayed, enlarged to multiples of ``_UNIT``."""
        width, height = self.source.upright_size
        return _fitting(height), _fitting(width)

    @property
    def strip_height(self) -> int:
        """Rows that the labels take, below the picture."""
        return _fitting(max(_LEAST_STRIP, round(self._across * _STRIP)))

    @property
    def _across(self) -> int:
        return self._upright[1] * (2 if self.layout == LAYOUTS[0] else 1)

    @property
    def video(self) -> SourceVideo:
        """The facts about the video of these pictures. It keeps time, colour and rotation of the source."""
        height, width = self._upright[0] + self.strip_height, self._across
        size = (height, width) if self.source.turns % 2 else (width, height)
        return replace(
            self.source,
            width=size[0],
            height=size[1],
            upright_size=(width, height),
            presentation=Presentation(),
            side_data=frozenset(),
        )

    def __call__(
        self, before: av.VideoFrame, after: av.VideoFrame, colour: Colour, labels: Sequence[str]
    ) -> Frame:
        """The picture of two versions of a frame, of the same planar format. ``labels``: one for each."""
        form = planar_format(before.format.name)
        made = av.VideoFrame(self.video.width, self.video.height, form.name)
        assert before.pts is not None
        assert before.time_base is not None
        share = 0.5 - 0.5 * math.cos(2 * math.pi * float(before.pts * before.time_base) / _PERIOD)
        strip = self._strip(tuple(labels))
        oriented = self.source.turns, self.source.mirrored
        versions = zip(plane_views(before), plane_views(after), strict=True)
        for number, (target, (one, other)) in enumerate(zip(plane_views(made), versions, strict=True)):
            down, across = self._subsampling(form, number)
            size = self._upright[0] // down, self._upright[1] // across
            one, other = (_padded(displayed(plane, *oriented), size) for plane in (one, other))
            if self.layout == LAYOUTS[0]:
                picture = np.hstack((one, other))
            else:
                picture = self._wiped(one, other, share, across, self._value(form, number, colour))
            values = self._strip_values(strip[::down, ::across], form, number, colour)
            target[...] = stored(np.vstack((picture, values)), *oriented)
        made.pts, made.time_base = before.pts, before.time_base
        return Frame(0, made, colour)

    def _subsampling(self, form: PixelFormat, plane: int) -> tuple[int, int]:
        """By what the rows and columns of a plane, as displayed, are fewer than the picture's."""
        if not (form.has_chroma and plane in (1, 2)):
            return 1, 1
        across, down = (1 << shift for shift in form.subsampling)
        return (across, down) if self.source.turns % 2 else (down, across)

    def _wiped(
        self, one: np.ndarray, other: np.ndarray, share: float, across: int, line: int | None
    ) -> np.ndarray:
        """``one`` left of the line and ``other`` right of it."""
        width = one.shape[1] * across
        place = round(share * width / _UNIT) * _UNIT
        picture = np.hstack((one[:, : place // across], other[:, place // across :]))
        if line is not None:
            left = min(max(0, place - _LINE // 2), width - _LINE)
            picture[:, left : left + _LINE] = line
        return picture

    def _strip(self, labels: tuple[str, ...]) -> np.ndarray:
        """(height, width) float32 in [0, 1]: 1 where there is text."""
        if labels not in self._strips:
            self._strips.clear()
            height, width = self.strip_height, self._across
            drawn = np.zeros((height, width), np.uint8)
            room = width // 2 - 16
            for number, label in enumerate(labels):
                scale = height / 42
                scale *= min(1.0, room / max(1, text_width(label, scale)))
                wide = text_width(label, scale)
                if self.layout == LAYOUTS[0]:
                    left = number * (width // 2) + 8
                else:
                    left = width - wide - 8 if number else 8
                write_text(drawn, label, (left, 0), 255, scale=scale, height=height)
            self._strips[labels] = drawn.astype(np.float32) / 255
        return self._strips[labels]

    def _strip_values(self, strip: np.ndarray, form: PixelFormat, plane: int, colour: Colour) -> np.ndarray:
        """The samples of the strip in a plane."""
        text, back = self._value(form, plane, colour), self._value(form, plane, colour, _BACK)
        if text is None or back is None:  # chroma is neutral, alpha opaque
            whole = (1 << form.bits) - 1 if plane >= form.colour_planes else 1 << (form.bits - 1)
            return np.full(strip.shape, whole, form.dtype)
        return (back + (text - back) * strip).round().astype(form.dtype)

    @staticmethod
    def _value(form: PixelFormat, plane: int, colour: Colour, share: float | None = None) -> int | None:
        """The sample of a grey in a plane of brightness, that of text by default; None in other planes."""
        if plane >= form.colour_planes or (form.has_chroma and plane):
            return None
        if share is None:
            share = _TEXT_HDR if colour.transfer else _TEXT
        if form.is_rgb or colour.full_range:
            return round(share * ((1 << form.bits) - 1))
        return round((16 + 219 * share) * (1 << (form.bits - 8)))


def _fitting(size: int) -> int:
    return -(-size // _UNIT) * _UNIT


def _padded(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``plane`` enlarged to ``size`` (height, width) by repeating its last row and column."""
    down, right = size[0] - plane.shape[0], size[1] - plane.shape[1]
    return cv2.copyMakeBorder(np.ascontiguousarray(plane), 0, down, 0, right, cv2.BORDER_REPLICATE)
