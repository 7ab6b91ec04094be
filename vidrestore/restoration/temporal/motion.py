"""Motion and noise between two aligned faces of one track.

Alignment removes the face's position, size and in-plane rotation; what differs between frames is expression,
rotation of the head, and noise. Optical flow follows the first two. The difference that remains after warping
along the flow, in units of the noise, tells where the flow can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from ..planes import shrink
from .blend import pixel_grid, remap
from .light import Broad, Light, is_known

#: Side in pixels at which faces are compared: finer detail of a degraded face is noise.
SIDE = 128
#: Side in pixels of the maps of flow and error: both are smooth.
MAP = 64
#: Standard deviations of Gaussian blurs: of faces before they are compared (in pixels of SIDE), and of the
#: map of their squared difference (in pixels of MAP).
_BLUR, _SPREAD = 0.6, 1.0
#: Mean squared difference, on a scale of 0 to 255, that counts as zero.
_MIN_ERROR = 0.1
#: Pixels of SIDE by which the alignment may drift before it is compensated.
_MIN_DRIFT = 0.02
#: The same, from which on light is measured anew once it is compensated.
_FAR_DRIFT = 1.0
#: Relative error of flow: detail finer than the comparison suffers from it.
_FLOW_ERROR = 0.2
#: Share of the face in which colours must be known in both views for noise to be measured.
_MIN_KNOWN = 0.05
#: Share of the pixels of a place in the map above which it is all of them.
_ALL = 0.99
#: Difference from a frame, as a share of that from those behind it, below which it is the same picture again.
REPEATED = 0.1
#: Rows and columns of the map that show the face: noise is measured there.
_FACE = (slice(MAP // 4, MAP * 7 // 8), slice(MAP // 5, MAP * 4 // 5))


@dataclass(frozen=True, slots=True)
class View:
    """An aligned face at the size at which faces are compared."""

    colours: np.ndarray  #: (SIDE, SIDE, 3) float32 RGB, 0 to 255, blurred
    luma: np.ndarray  #: (SIDE, SIDE) uint8, the luma of ``colours``
    slope: np.ndarray  #: (MAP, MAP) float32: squared gradient of the luma, in (levels of 255 per SIDE pixel)²
    broad: Broad  #: its broad colours, which tell the light
    known: np.ndarray  #: (MAP, MAP, 3) bool: where a colour is not clipped
    place: np.ndarray  #: (3, 3): maps scene coordinates to the face's, in which its side is 1

    @classmethod
    def from_image(cls, image: Tensor, place: np.ndarray | None = None) -> View:
        """The view of ``image`` (3, S, S) RGB in [0, 1]. ``place`` (3, 3) maps scene coordinates to pixels of
        ``image``; None: the scene is the image itself, so views show the same place."""
        small = shrink(image[None], SIDE)[0]
        colours = (small * 255).permute(1, 2, 0).contiguous().cpu().numpy()
        colours = cv2.GaussianBlur(colours, (0, 0), _BLUR)
        luma = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
        dx, dy = (cv2.Sobel(luma, cv2.CV_32F, x, 1 - x, scale=1 / 8) for x in (1, 0))
        slope = _shrink(dx * dx + dy * dy)
        size = image.shape[-1]
        place = np.eye(3) if place is None else np.diag([1 / size, 1 / size, 1]) @ place
        known = _shrink(is_known(colours)) > _ALL
        return cls(colours, _eight_bits(luma), slope, Broad.of(colours), known, place)

    def to(self, other: View, side: int) -> np.ndarray:
        """The (2, 3) matrix from pixels of this face to the pixels of ``other`` that show the same place of
        the scene, both with ``side`` pixels to a side."""
        across = other.place @ np.linalg.inv(self.place)
        # The origin of a place is the corner of a pixel, that of pixels its centre.
        return np.column_stack((across[:2, :2], across[:2] @ (0.5, 0.5, side) - 0.5))

    def drift(self, other: View, side: int) -> np.ndarray:
        """The apparent motion of a static scene from this face to ``other``, caused by the alignment alone:
        (side, side, 2) float32 as x, y, in pixels of a face of ``side`` pixels."""
        return _moved(pixel_grid(side), self.to(other, side))


@dataclass(frozen=True, slots=True)
class Motion:
    """The motion from one view to another.

    Maps are kept as long as the face is in a window, so they are float16: exact to a thousandth of a pixel.
    """

    #: (MAP, MAP, 2) float16, as x, y in MAP pixels: how far each pixel moves. None: nothing moves.
    flow: np.ndarray | None
    error: np.ndarray  #: (MAP, MAP) float16: expected mean squared difference along the flow, 0 to 255 scale
    noise: float  #: the median of that difference over the face; NaN if nearly all of it is clipped
    light: Light | None = None  #: the change of light, compensated in ``error`` and ``noise``; None: none

    @property
    def is_relit(self) -> bool:
        """Whether the views are in evidently different light."""
        return self.light is not None and self.light.is_evident


@dataclass(frozen=True, slots=True)
class Comparison:
    """A face compared with the same face in the frames around it."""

    motions: Mapping[int, Motion]  #: to the faces that it may be blended with, by frame offset
    noise: float  #: mean squared difference from the adjacent frames where nothing moves, 0 to 255 scale
    stillness: np.ndarray  #: (MAP, MAP) float32: 1 where the face does not move, 0 where it does


#: The comparison of a face that was compared with none, or is blended with none any more.
NO_COMPARISON = Comparison({}, 0.0, np.zeros((MAP, MAP), np.float32))


def estimate_motions(here: View, others: Mapping[int, View]) -> dict[int, Motion]:
    """Motion from ``here`` to each of ``others`` by dense inverse search optical flow (Kroeger et al., ECCV
    2016), in equal light."""
    lights = _lights(here, {o: there.broad for o, there in others.items()})
    return {o: _estimate(here, there, lights[o]) for o, there in others.items()}


def difference(here: View, there: View) -> float:
    """The noise that ``there`` would have if neither face nor light had changed: see :class:`Motion`."""
    return _noise(_difference(there.colours, here.colours, _counted(here, there)), here, there)


def other_pictures(differences: Mapping[int, float]) -> list[int]:
    """To each side, the offset of the nearest frame that shows another picture. ``differences`` are those of
    frames from the one in question, by their offsets; NaN ones do not count.

    Where a frame rate was raised, frames are repeated, and a repetition tells nothing about noise.
    """
    found = []
    for side in (-1, 1):
        offsets = sorted((o for o, x in differences.items() if o * side > 0 and not np.isnan(x)), key=abs)
        least = REPEATED * max((differences[o] for o in offsets), default=0.0)
        found += [o for o in offsets if differences[o] >= least][:1]
    return found


def _estimate(here: View, there: View, light: Light | None) -> Motion:
    colours = _lit(there.colours, light)
    luma = there.luma if light is None else _eight_bits(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    search.setFinestScale(1)  # the resolution of the map
    # OpenCV's stubs do not know that there need be no initial flow.
    flow = search.calc(here.luma, luma, None)  # pyright: ignore[reportCallIssue, reportArgumentType]
    warped = remap(colours, flow)
    counted = _counted(here, there)
    error, static_error = (_difference(x, here.colours, counted) for x in (warped, colours))
    # Where no motion explains the picture as well, the flow is set to zero: it follows noise, too.
    static = np.clip(2 - static_error / (error + _MIN_ERROR), 0, 1)
    flow = _shrink(flow) * ((1 - static) * (MAP / SIDE))[..., None]
    error += static * (static_error - error)
    flow_error = _FLOW_ERROR**2 * square(flow) * here.slope
    total = error + cv2.GaussianBlur(flow_error, (0, 0), _SPREAD)
    return Motion(flow.astype(np.float16), _half(total), _noise(error, here, there), light)


def static_motions(here: View, others: Mapping[int, View]) -> dict[int, Motion]:
    """Motion from ``here`` to each of ``others`` under the assumption that nothing moves: neither the aligned
    face nor, as the alternative, the scene. The assumption that explains more of the picture is taken."""
    corners = pixel_grid(SIDE)[:: SIDE - 1, :: SIDE - 1]
    drifts = {o: np.abs(_moved(corners, here.to(there, SIDE))).max() for o, there in others.items()}
    scenes = {o: _scene(here, others[o]) for o, drift in drifts.items() if drift >= _MIN_DRIFT}
    lights = _lights(here, {o: there.broad for o, there in others.items()})
    moved = {o: Broad.of(scene) for o, scene in scenes.items() if drifts[o] > _FAR_DRIFT}
    scene_lights = lights | _lights(here, moved)
    motions = {o: _static(here, there, there.colours, lights[o]) for o, there in others.items()}
    for o, scene in scenes.items():
        alternative = _static(here, others[o], scene, scene_lights[o])
        if motions[o].noise > alternative.noise:
            motions[o] = replace(alternative, flow=here.drift(others[o], MAP).astype(np.float16))
    return motions


def _static(here: View, there: View, colours: np.ndarray, light: Light | None) -> Motion:
    """No motion, if ``colours`` are those of ``there``."""
    error = _difference(_lit(colours, light), here.colours, _counted(here, there))
    return Motion(None, _half(error), _noise(error, here, there), light)


def _scene(here: View, there: View) -> np.ndarray:
    """The colours of ``there``, each in the pixel of ``here`` that shows the same place of the scene."""
    return cv2.warpAffine(
        there.colours,
        here.to(there, SIDE),
        (SIDE, SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _moved(at: np.ndarray, to: np.ndarray) -> np.ndarray:
    """How far ``to`` (2, 3) moves the points ``at`` (..., 2)."""
    return at @ (to[:, :2] - np.eye(2)).T.astype(np.float32) + to[:, 2].astype(np.float32)


def _lights(here: View, others: Mapping[int, Broad]) -> dict[int, Light | None]:
    """What brings each of the ``others`` to the light of ``here``."""
    return dict(zip(others, Light.between(here.broad, [*others.values()]), strict=True))


def _noise(error: np.ndarray, here: View, there: View) -> float:
    """The median of ``error`` (MAP, MAP) over the face, where a colour of both views is known: those of a
    clipped face do not differ by noise."""
    known = (here.known & there.known)[_FACE].any(axis=2)
    return float(np.median(error[_FACE][known])) if known.mean() > _MIN_KNOWN else float("nan")


def _lit(colours: np.ndarray, light: Light | None) -> np.ndarray:
    return colours if light is None else light.apply(colours)


def _eight_bits(luma: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(luma), 0, 255).astype(np.uint8)


def _half(x: np.ndarray) -> np.ndarray:
    """``x`` in float16, whose largest value is 65504."""
    return x.clip(max=6e4).astype(np.float16)


def _shrink(x: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE, ...) -> (MAP, MAP, ...)."""
    return cv2.resize(x, (MAP, MAP), interpolation=cv2.INTER_AREA)


def _counted(here: View, there: View) -> np.ndarray:
    """(MAP, MAP, 3) float32: the share of each colour in the difference of two views: alike for those that
    are known in both, or for all where none is. In coloured light one can be clipped in the whole face."""
    known = (here.known & there.known).astype(np.float32)
    count = known.sum(axis=2, keepdims=True)
    return np.where(count > 0, known / count.clip(min=1), np.float32(1 / 3))


def _difference(a: np.ndarray, b: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean squared difference of ``a`` and ``b`` (SIDE, SIDE, 3) around each pixel, in which each colour has
    the share ``counted`` (MAP, MAP, 3): (MAP, MAP)."""
    squares = a - b
    squares *= squares
    return cv2.GaussianBlur(np.einsum("...i,...i->...", _shrink(squares), counted), (0, 0), _SPREAD)


def square(x: np.ndarray) -> np.ndarray:
    """The sum of squares over the last dimension."""
    return np.einsum("...i,...i->...", x, x)


def similarity(error: Tensor, noise: float | Tensor, *, free: float, fall: float) -> Tensor:
    """The weight of a squared difference: 1 up to ``free`` times ``noise``, then falling exponentially, to
    1 / e when it exceeds that by ``fall`` times ``noise``."""
    return torch.exp(-((error / noise - free) / fall).clamp(min=0))
