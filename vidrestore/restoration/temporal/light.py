"""The light of a face: how its broad brightness and colours differ from those in another frame.

Old film flickers, lamps are switched on, a flash goes off, a shot fades to black. Such a change is no noise,
and no reason to keep two frames apart: a neighbour is brought to the light of the frame at hand, and then
compared and blended. A change of light is a gain and an offset for each colour, equal over the face or
varying slowly over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

#: Side in cells at which light is measured: of a 512-pixel face, each covers 32 x 32 pixels.
CELLS = 16
#: Values, on a scale of 0 to 255, at or beyond which a colour is clipped: what was there is not known.
_BLACK, _WHITE = 3.0, 252.0
#: A gain is taken about this far below black, so that it stays bounded in the dark.
_PIVOT = 12.0
#: Standard deviation of the contrast's gain about the gain of the mean, before the contrast is looked at.
_CONTRAST = 0.1
#: About how many cells count as independent: neighbouring ones err alike.
_INDEPENDENT = 30
_MAX_GAIN = 16.0
#: Smallest weight of a cell that is clipped: where all are, they still count.
_MIN_WEIGHT = 1e-3
_ITERATIONS = 3
#: Standard deviation in cells of the Gaussian in which local light is averaged: features that move (an
#: opening mouth) are smaller, and are outliers in it.
_LOCAL = 2.0
#: The same as a matrix: the weight of each cell of a column around each of them, the border replicated.
_GAUSSIAN = cv2.GaussianBlur(
    np.eye(CELLS, dtype=np.float32), (1, 0), sigmaX=1e-9, sigmaY=_LOCAL, borderType=cv2.BORDER_REPLICATE
)
#: Differences, on a scale of 0 to 255 and of a gain's logarithm, that are added to the scale of outliers.
_EVEN, _EVEN_GAIN = 0.7, 0.01
#: Mean change, on a scale of 0 to 255, up to which light counts as the same, and from which on the change
#: counts in full. Noise and motion change broad colours by about 1: following them would add to the noise.
_UNCHANGED, _CHANGED = 1.0, 2.0
#: Mean change of a medium grey, on the same scale, from which on a network's features follow the light.
_GREY, _EVIDENT = 127.5, 2.0


@dataclass(frozen=True, slots=True)
class Broad:
    """The broad colours of a face."""

    colours: np.ndarray  #: (CELLS, CELLS, 3) float32 RGB, 0 to 255
    known: np.ndarray  #: (CELLS, CELLS, 3) float32: share of pixels in which the colour is not clipped

    @classmethod
    def of(cls, colours: np.ndarray) -> Broad:
        """Those of ``colours`` (S, S, 3) float32 RGB, 0 to 255."""
        return cls(_cells(colours), _cells(is_known(colours)))


@dataclass(frozen=True, slots=True)
class Light:
    """What brings a face to the light of another frame: ``gain * colours + offset``."""

    gain: np.ndarray  #: (CELLS, CELLS, 3) float32
    offset: np.ndarray  #: (CELLS, CELLS, 3) float32, on a scale of 0 to 255

    @classmethod
    def between(cls, here: Broad, others: Sequence[Broad]) -> list[Light | None]:
        """What brings each of ``others`` to the light of ``here``; None if the light is the same."""
        if not others:
            return []
        target, source = _planar([here.colours]), _planar([other.colours for other in others])
        # What is left in a cell of which a part is clipped is not its mean.
        weight = (_planar([here.known]) * _planar([other.known for other in others])) ** 6 + _MIN_WEIGHT
        smoothed = _smooth(weight)
        gain, offset = _overall(target, source, weight, smoothed)
        lit = np.clip(gain * source + offset, 0, 255) + _PIVOT
        local = np.exp(_local(np.log((target + _PIVOT) / lit), weight, smoothed))
        gain, offset = gain * local, (offset + _PIVOT) * local - _PIVOT
        change = np.abs((gain - 1) * source + offset).mean(axis=(1, 2, 3))
        shares = ((change - _UNCHANGED) / (_CHANGED - _UNCHANGED)).clip(0, 1)[:, None, None, None]
        gains, offsets = (
            np.ascontiguousarray(x.transpose(0, 2, 3, 1), np.float32)
            for x in (1 + shares * (gain - 1), shares * offset)
        )
        return [
            cls(*maps) if share > 0 else None for share, *maps in zip(shares, gains, offsets, strict=True)
        ]

    @property
    def is_evident(self) -> bool:
        """Whether it changes more than noise in the broad colours does."""
        return float(np.abs((self.gain - 1) * _GREY + self.offset).mean()) > _EVIDENT

    def certainty(self, side: int) -> np.ndarray:
        """(side, side) float32: the inverse of the factor by which it raises the variance of noise, at most
        1."""
        gain = self.gain.mean(axis=2).clip(min=1)
        return cv2.resize(1 / gain**2, (side, side))

    def apply(self, colours: np.ndarray) -> np.ndarray:
        """``colours`` (S, S, 3) float32 RGB, 0 to 255, in this light."""
        gain, offset = (cv2.resize(x, colours.shape[1::-1]) for x in (self.gain, self.offset))
        lit = np.multiply(colours, gain, out=gain)
        lit += offset
        return np.clip(lit, 0, 255, out=lit)


def is_known(colours: np.ndarray) -> np.ndarray:
    """1 where a colour of ``colours`` (..., 3), 0 to 255, is not clipped, else 0, in float32."""
    return ((colours > _BLACK) & (colours < _WHITE)).astype(np.float32)


def _cells(x: np.ndarray) -> np.ndarray:
    return cv2.resize(x, (CELLS, CELLS), interpolation=cv2.INTER_AREA)


def _planar(maps: Sequence[np.ndarray]) -> np.ndarray:
    """K ``maps`` (CELLS, CELLS, 3) as (K, 3, CELLS, CELLS)."""
    return np.ascontiguousarray(np.stack(maps).transpose(0, 3, 1, 2))


def _overall(
    target: np.ndarray, source: np.ndarray, weight: np.ndarray, smoothed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gain and offset (K, 3, 1, 1) of each colour over the whole face, by means and contrasts in which
    outliers count little. ``smoothed`` is the ``weight`` around each cell.

    Contrast is the deviation from the average around each cell, so that light from one side does not change
    it. The ratio of two deviations, unlike the slope of a regression, stays 1 if the face moves in even
    light. The more the face moves, the more the gain of the mean counts instead.
    """
    # Less its average around each cell.
    detail_a, detail_b = (x - _smooth(weight * x) / smoothed for x in (target, source))
    share = weight / _sum(weight)
    gain, offset = np.ones(1), np.zeros(1)
    for _ in range(_ITERATIONS):
        mean_a, mean_b = _sum(share * target), _sum(share * source)
        spread_a, spread_b = (_sum(share * x * x) for x in (detail_a, detail_b))
        of_mean = (mean_a + _PIVOT) / (mean_b + _PIVOT)
        of_contrast = np.sqrt(spread_a / (spread_b + 1e-3))
        left = detail_a - of_contrast * detail_b
        certain = _INDEPENDENT * spread_b / (_sum(share * left * left) + _EVEN**2)
        gain = (certain * of_contrast + of_mean / _CONTRAST**2) / (certain + 1 / _CONTRAST**2)
        gain = np.minimum(gain, _MAX_GAIN)
        offset = mean_a - gain * mean_b
        share = weight * _robust(left, _EVEN)
        share /= _sum(share)
    return gain, offset


def _local(left: np.ndarray, weight: np.ndarray, smoothed: np.ndarray) -> np.ndarray:
    """The logarithm of the gain that is left, (K, 3, CELLS, CELLS), averaged around each cell without
    outliers."""
    mean, counted = np.zeros_like(left), weight
    for _ in range(_ITERATIONS):
        mean = _smooth(counted * left) / smoothed
        counted = weight * _robust(left - mean, _EVEN_GAIN)
        smoothed = _smooth(counted)
    # What an average leaves of a slope, at the border above all, is averaged once more.
    return mean + _smooth(counted * (left - mean)) / smoothed


def _sum(x: np.ndarray) -> np.ndarray:
    return x.sum(axis=(2, 3), keepdims=True)


def _robust(left: np.ndarray, even: float) -> np.ndarray:
    """Weights that fall with what is ``left`` (K, 3, CELLS, CELLS): Cauchy's, with a scale from the median,
    to which ``even`` is added."""
    # So few are sorted faster than np.median finds their median.
    middle = np.sort(np.abs(left).reshape(*left.shape[:2], -1))[..., CELLS**2 // 2 - 1 : CELLS**2 // 2 + 1]
    scale = 2 * middle.mean(axis=2)[..., None, None] + even
    return 1 / (1 + (left / scale) ** 2)


def _smooth(x: np.ndarray) -> np.ndarray:
    """``x`` (K, 3, CELLS, CELLS), averaged around each cell."""
    return _GAUSSIAN @ x @ _GAUSSIAN.T
