"""What moved, and what did not, between two aligned faces of one track.

Alignment takes the face's place, size and turn in the picture out; what is left between frames are
expressions, turns of the head, and noise. Optical flow follows the first two; how far what it brings is off,
in units of the noise, says where it may be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .blend import pixels, remap

#: Pixels of a face at which it is compared: finer than that, degraded faces hold noise alone.
SIDE = 128
#: Pixels of the maps of what moved and what differs: both are smooth.
MAP = 64
#: Deviation, in pixels of the comparison, of the blur before flow is sought or two faces are compared, and
#: in pixels of the map of that of what differs between them.
_BLUR, _SPREAD = 0.6, 1.0
#: Mean square, of 255, below which a difference is none.
_LEAST = 0.1
#: Pixels of the comparison that are no drift of the alignment.
_NO_DRIFT = 0.02
#: What flow may be off, as a share of its length: detail finer than the comparison suffers from it.
_FLOW_ERROR = 0.2
#: Where in the map the face is: rows and columns over which noise is measured.
_FACE = (slice(MAP // 4, MAP * 7 // 8), slice(MAP // 5, MAP * 4 // 5))


@dataclass(frozen=True, slots=True)
class View:
    """An aligned face as small as it is compared at."""

    colours: np.ndarray  #: (SIDE, SIDE, 3) float32, 0 to 255, blurred
    luma: np.ndarray  #: (SIDE, SIDE) uint8, of that
    slope: np.ndarray  #: (MAP, MAP) float32: mean square of the luma's gradient, in 255 a pixel of SIDE
    place: np.ndarray  #: (3, 3), from the scene to the face, both with sides of 1

    @classmethod
    def of(cls, image: Tensor, place: np.ndarray | None = None) -> View:
        """``image`` (3, S, S) RGB in [0, 1]. ``place`` (3, 3) maps the scene to its pixels; without it,
        all views show the same place."""
        small = F.interpolate(image[None].float(), (SIDE, SIDE), mode="area")[0]
        colours = (small * 255).permute(1, 2, 0).contiguous().cpu().numpy()
        colours = cv2.GaussianBlur(colours, (0, 0), _BLUR)
        luma = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
        dx, dy = (cv2.Sobel(luma, cv2.CV_32F, x, 1 - x, scale=1 / 8) for x in (1, 0))
        slope = _shrink(dx * dx + dy * dy)
        size = image.shape[-1]
        place = np.eye(3) if place is None else np.diag([1 / size, 1 / size, 1]) @ place
        return cls(colours, np.clip(np.rint(luma), 0, 255).astype(np.uint8), slope, place)

    def drift(self, there: View, side: int) -> np.ndarray:
        """How far a scene that stands still moves from this face to another, as its alignment wanders:
        (side, side, 2) float32 as x, y, in pixels of as many a side."""
        across = there.place @ np.linalg.inv(self.place)
        at = pixels(side) + np.float32(0.5)
        return at @ (across[:2, :2].T - np.eye(2)).astype(np.float32) + (across[:2, 2] * side).astype("f4")


@dataclass(frozen=True, slots=True)
class Motion:
    """From one view to another. The maps are kept for as long as the face is in a window, so in half
    precision: a thousandth of a pixel at most."""

    flow: np.ndarray | None  #: (MAP, MAP, 2) float16: as x, y, how far what is there has come in the second
    error: np.ndarray  #: (MAP, MAP) float16: mean square by which the second may differ there, of 255
    noise: float  #: what of that is there over most of the face

    @classmethod
    def between(cls, here: View, there: View) -> Motion:
        """By dense inverse search (Kroeger et al., ECCV 2016)."""
        search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        search.setFinestScale(1)  # that of the map
        flow = search.calc(here.luma, there.luma, None)
        brought = remap(there.colours, flow)
        seen, unmoved = (_difference(colours, here.colours) for colours in (brought, there.colours))
        # Where standing still explains the picture as well, it stands still: flow follows noise, too.
        still = np.clip(2 - unmoved / (seen + _LEAST), 0, 1)
        flow = _shrink(flow) * ((1 - still) * (MAP / SIDE))[..., None]
        seen += still * (unmoved - seen)
        unseen = _FLOW_ERROR**2 * square(flow) * here.slope
        error = seen + cv2.GaussianBlur(unseen, (0, 0), _SPREAD)
        return cls(flow.astype(np.float16), _half(error), float(np.median(seen[_FACE])))

    @classmethod
    def none(cls, here: View, there: View) -> Motion:
        """As if nothing had moved, neither in the scene nor in the face, whichever explains more."""
        error, drift = _difference(there.colours, here.colours), here.drift(there, SIDE)
        if np.abs(drift).max() < _NO_DRIFT:
            return cls(None, _half(error), float(np.median(error[_FACE])))
        brought = remap(there.colours, drift)
        other = _difference(brought, here.colours)
        noise, other_noise = (float(np.median(e[_FACE])) for e in (error, other))
        if noise <= other_noise:
            return cls(None, _half(error), noise)
        return cls(here.drift(there, MAP).astype(np.float16), _half(other), other_noise)


def _half(x: np.ndarray) -> np.ndarray:
    return x.clip(max=6e4).astype(np.float16)


def _shrink(x: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE, ...) -> (MAP, MAP, ...)."""
    return cv2.resize(x, (MAP, MAP), interpolation=cv2.INTER_AREA)


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean square of a - b (SIDE, SIDE, 3) around each pixel: (MAP, MAP)."""
    return cv2.GaussianBlur(_shrink(square(a - b)) / 3, (0, 0), _SPREAD)


def square(x: np.ndarray) -> np.ndarray:
    """The sum of squares over the last dimension."""
    return np.einsum("...i,...i->...", x, x)


def likeness(error: Tensor, noise: float | Tensor, *, free: float, fall: float) -> Tensor:
    """1 where ``error`` is at most ``free`` times ``noise``, and falling above it: to 1 / e with ``fall``
    times the noise more."""
    return torch.exp(-((error / noise - free) / fall).clamp(min=0))
