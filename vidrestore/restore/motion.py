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

#: Pixels of a face at which it is compared: finer than that, degraded faces hold noise alone.
SIDE = 256
#: Deviations, in pixels of that, of the blurs before flow is sought, before two faces are compared, and of
#: what differs between them.
_FLOW_BLUR, _COMPARE_BLUR, _SPREAD = 1.0, 1.0, 4.0
#: Mean square, of 255, below which a difference is none.
_LEAST = 0.1
#: What flow may be off, as a share of its length: detail finer than the comparison suffers from it.
_FLOW_ERROR = 0.2
#: Where in the crop the face is: rows and columns over which noise is measured.
_FACE = (slice(SIDE // 4, SIDE * 7 // 8), slice(SIDE // 5, SIDE * 4 // 5))

_columns, _rows = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))


@dataclass(frozen=True, slots=True)
class View:
    """An aligned face as small as it is compared at."""

    colours: np.ndarray  #: (SIDE, SIDE, 3) float32, 0 to 255
    luma: np.ndarray  #: (SIDE, SIDE) uint8, blurred

    @classmethod
    def of(cls, image: Tensor) -> View:
        """``image`` (3, S, S) RGB in [0, 1]."""
        small = F.interpolate(image[None].float(), (SIDE, SIDE), mode="area")[0]
        colours = (small * 255).permute(1, 2, 0).contiguous().cpu().numpy()
        luma = cv2.GaussianBlur(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY), (0, 0), _FLOW_BLUR)
        return cls(colours, np.clip(np.rint(luma), 0, 255).astype(np.uint8))


@dataclass(frozen=True, slots=True)
class Motion:
    """From one view to another."""

    flow: np.ndarray  #: (SIDE, SIDE, 2) float16: where each pixel of the first lies in the second, as x, y
    error: np.ndarray  #: (SIDE, SIDE) float16: mean square by which the second may differ there, of 255
    noise: float  #: what of that is there over most of the face, where flow brings all that moved

    @classmethod
    def between(cls, here: View, there: View) -> Motion:
        """By dense inverse search (Kroeger et al., ECCV 2016)."""
        search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        flow = search.calc(here.luma, there.luma, None)
        brought = cv2.remap(
            there.colours,
            _columns + flow[..., 0],
            _rows + flow[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        seen, unmoved = (_difference(colours, here.colours) for colours in (brought, there.colours))
        # Where standing still explains the picture as well, it stands still: flow follows noise, too.
        still = np.clip(2 - unmoved / (seen + _LEAST), 0, 1)
        flow *= (1 - still)[..., None]
        seen += still * (unmoved - seen)
        dx, dy = (part.astype(np.float32) / 8 for part in cv2.spatialGradient(here.luma))  # Sobel's sums
        slope = dx * dx + dy * dy
        unseen = _FLOW_ERROR**2 * _square(flow) * slope
        error = seen + cv2.GaussianBlur(unseen, (0, 0), _SPREAD)
        # Kept for as long as the face is in a window, so in half precision: a thousandth of a pixel at most.
        return cls(
            flow.astype(np.float16), error.clip(max=6e4).astype(np.float16), float(np.median(seen[_FACE]))
        )

    def bring(self, image: Tensor) -> Tensor:
        """``image`` (C, S, S) of the second, as the first sees it."""
        size = image.shape[-1]
        grid = np.arange(size, dtype=np.float32)
        x, y = (
            cv2.resize(part.astype(np.float32) * (size / SIDE), (size, size))
            for part in np.moveaxis(self.flow, -1, 0)
        )
        x += grid
        y += grid[:, None]
        if image.device.type == "cpu":  # three times as fast as the other
            pixels = by_pixel(image).permute(1, 2, 0).numpy()
            found = cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            return torch.from_numpy(found.reshape(size, size, -1)).permute(2, 0, 1)
        places = np.stack((x, y), -1) * (2 / size) + (1 / size - 1)
        return F.grid_sample(
            image[None],
            torch.from_numpy(places)[None].to(image),
            padding_mode="border",
            align_corners=False,
        )[0]


def by_pixel(image: Tensor) -> Tensor:
    """``image`` (C, H, W) with a pixel's channels beside each other in memory, as OpenCV has them."""
    return image.permute(1, 2, 0).contiguous().permute(2, 0, 1)


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean square of a - b (SIDE, SIDE, 3) around each pixel: (SIDE, SIDE)."""
    difference = cv2.GaussianBlur(a - b, (0, 0), _COMPARE_BLUR)
    return cv2.GaussianBlur(_square(difference) / 3, (0, 0), _SPREAD)


def _square(x: np.ndarray) -> np.ndarray:
    """The sum of squares over the last dimension."""
    return np.einsum("...i,...i->...", x, x)


def likeness(error: Tensor, noise: float | Tensor, *, free: float, fall: float) -> Tensor:
    """1 where ``error`` is at most ``free`` times ``noise``, and falling above it: to 1 / e with ``fall``
    times the noise more."""
    return torch.exp(-((error / noise - free) / fall).clamp(min=0))
