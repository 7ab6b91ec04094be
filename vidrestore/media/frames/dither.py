"""Rounding to samples without bands in the shadows.

Restoration removes the noise that hid the steps between dark 8-bit samples. There, and only where the
picture is flatter than a step, values are rounded against a pattern of thresholds instead of one half, so
that a value between two steps becomes a mixture of both. The pattern belongs to the place in the frame: it
does not change over time, and every machine has the same.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...runtime.cuda_streams import upload

#: Differences between neighbours, in steps, up to which a place is dithered fully, and from which on not.
_FLAT, _STEEP = 0.5, 1.0


def round_samples(values: Tensor, origin: tuple[int, int], shadows: tuple[float, float] | None) -> Tensor:
    """Round ``values`` (C, H, W) to whole numbers, dithered in the shadows.

    ``origin`` is the place (x, y) of the first sample in its plane. Samples up to the first of ``shadows``
    are dithered fully, from the second on not at all; None: none is dithered. Whole numbers stay.
    """
    if shadows is None:
        return values.round()
    brightness = values.mean(0)
    dark = ((shadows[1] - brightness) / (shadows[1] - shadows[0])).clamp_(0, 1)
    # Nothing is dark in most faces. On a GPU reading the answer would wait.
    if dark.device.type == "cpu" and not dark.any():
        return values.round()
    share = dark * ((_STEEP - _gradient(brightness)) / (_STEEP - _FLAT)).clamp_(0, 1)
    pattern = upload(threshold_pattern(*brightness.shape, origin=origin), values.device)
    return (values + (0.5 + share * (pattern - 0.5))).floor_()


def threshold_pattern(height: int, width: int, *, origin: tuple[int, int]) -> np.ndarray:
    """(height, width) float32 thresholds, evenly spread over (0, 1), with little at low frequencies:
    interleaved gradient noise (Jimenez, "Next Generation Post Processing in Call of Duty", SIGGRAPH 2014)."""
    x, y = np.arange(width) + float(origin[0]), np.arange(height)[:, None] + float(origin[1])
    noise = _fraction(52.9829189 * _fraction(0.06711056 * x + 0.00583715 * y))
    return noise.clip(1 / 64, 63 / 64).astype(np.float32)


def _fraction(x: np.ndarray) -> np.ndarray:
    """What positive ``x``, changed in place, have behind the point. ``np.modf`` takes four times as long."""
    return np.subtract(x, np.floor(x), out=x)


def _gradient(image: Tensor) -> Tensor:
    """The largest difference of each pixel of ``image`` (H, W) from the four beside it."""
    padded = F.pad(image[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    beside = (padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1])
    steps = [(other - image).abs_() for other in beside]
    for step in steps[1:]:
        torch.maximum(steps[0], step, out=steps[0])
    return steps[0]
