"""What can be seen of a face's condition without a reference: its size, sharpness, noise and pose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..luma import luma

#: Side in pixels at which faces are looked at, and the rows and columns of it that are the face's own:
#: from the forehead to the chin, from cheek to cheek.
_SIDE = 512
_ROWS, _COLUMNS = slice(112, 464), slice(96, 416)
#: Height of a face from chin to hairline, in units of the longer of its eye and its eye-mouth distance.
_HEIGHT = 2.6
#: Octaves below 512 pixels whose edges count, each with the side of the blocks it is looked at in, the
#: strength of a sharp face's edges relative to its coarse structure (three in four sharp portraits have
#: it), and how much more energy the strongest blocks of pure white noise have than its quiet ones.
_OCTAVES = ((8, 0.58, 1.8), (8, 0.8, 1.8), (4, 1.15, 2.4), (4, 1.35, 2.7))
#: Octaves whose quiet blocks tell noise: in coarser ones no part of a face is quiet.
_NOISE_OCTAVES = 3
#: Quantiles of the blocks' energy: the quiet ones, and the edges of eyes, mouth and nostrils.
_QUIET, _EDGES = 0.25, 0.97
#: Enlarging by s smooths a face's noise to about s to the power of minus this (measured, bilinear).
_SMOOTHING = 0.4
#: How far a nose's tip stands out of the plane of the eyes, in half eye distances.
_NOSE_DEPTH = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What one aligned face looks like, or the faces of one track over a window of time."""

    size: float  #: height of the face from chin to hairline, in pixels of the frame
    sharpness: float  #: share of the octaves below 512 pixels in which its edges show, in [0, 1]
    #: Deviation of the luma's noise, of 255: half of what the frame has, as interpolation smooths it. The
    #: skin of a sharp clean face counts as up to 2.
    noise: float
    yaw: float  #: how far it is turned aside: 0 frontal, 0.5 at 45 degrees, 1 in profile


@torch.inference_mode()
def measure(
    images: Tensor, scales: Sequence[float], landmarks: Sequence[np.ndarray] | np.ndarray
) -> list[Condition]:
    """The condition of each of N aligned faces.

    ``images`` (N, 3, S, S) RGB in [0, 1]; ``scales`` (N) crop pixels for one pixel of the frame, the
    factor of the similarity that cut the face out; ``landmarks`` (N, 5, 2) in crop pixels, in the
    order left eye, right eye, nose, left and right mouth corner. Nothing is measured of blocks: where
    they are is lost by rotating and scaling, and in-loop filters leave none.
    """
    if not len(images):
        return []
    sharpness, noise = _look(images)
    return [
        Condition(
            size=_height(points) / scale,
            sharpness=sharp,
            noise=noisy * max(scale, 1.0) ** _SMOOTHING,
            yaw=_yaw(points),
        )
        for scale, points, sharp, noisy in zip(scales, landmarks, sharpness, noise, strict=True)
    ]


def mean(conditions: Sequence[Condition]) -> Condition:
    """One condition for several of the same face: the median of each of its measures, so that a blink
    or a blurred frame does not count. Raises ValueError for none."""
    if not conditions:
        raise ValueError("there is no condition to take the mean of")
    columns = zip(*map(astuple, conditions), strict=True)
    size, sharpness, noise, yaw = (median(column) for column in columns)
    return Condition(size=size, sharpness=sharpness, noise=noise, yaw=yaw)


def _look(images: Tensor) -> tuple[list[float], list[float]]:
    """Sharpness and noise of faces (N, 3, S, S).

    An edge of any height has as much of a Laplacian's response at one octave as at the next, up to the
    octave from which on blur has removed it; noise has it everywhere, edges or not. So what the strongest
    blocks of an octave have above what noise would give them, relative to the face's coarse contrast,
    tells whether that octave is there.
    """
    x = images.float()
    if x.shape[-1] != _SIDE:
        x = F.interpolate(x, size=(_SIDE, _SIDE), mode="bilinear", antialias=True, align_corners=False)
    x = x[..., _ROWS, _COLUMNS]
    levels = 255 * luma(x, 1)
    energies, noise = [], []
    for octave, (block, _, spread) in enumerate(_OCTAVES):
        dx, dy = _second_difference(levels, -1), _second_difference(levels, -2)
        quiet, edges = _blocks(dx[..., 1:-1, :] + dy[..., 1:-1], block, _QUIET, _EDGES)
        energies.append((edges - spread * quiet).clamp_min(0))
        if octave < _NOISE_OCTAVES:
            # Immerkaer's operator (1996), of deviation 6 for white noise of deviation 1.
            noise.append(_blocks(_second_difference(dy, -1), block, _QUIET)[0].sqrt() / 6)
        levels = F.avg_pool2d(levels, 2)
    coarse = _second_difference(levels, -2)[..., 1:-1] + _second_difference(levels, -1)[..., 1:-1, :]
    contrast = coarse.square().mean(dim=(-2, -1)).sqrt().clamp_min(1)
    shown = [
        (energy.sqrt() / (typical * contrast)).clamp_max(1)
        for energy, (_, typical, _) in zip(energies, _OCTAVES, strict=True)
    ]
    sharpness, noise = torch.stack((torch.stack(shown).mean(dim=0), torch.stack(noise).amax(dim=0))).tolist()
    return sharpness, noise


def _second_difference(x: Tensor, dim: int) -> Tensor:
    """x[i - 1] - 2 x[i] + x[i + 1] along ``dim``, two shorter than ``x``."""
    length = x.shape[dim] - 2
    return x.narrow(dim, 0, length) + x.narrow(dim, 2, length) - 2 * x.narrow(dim, 1, length)


def _blocks(response: Tensor, side: int, *quantiles: float) -> list[Tensor]:
    """Quantiles over blocks of the mean square of a response (N, H, W): each (N,)."""
    energy = F.avg_pool2d(response.square(), side).flatten(1).sort(dim=1).values
    return [energy[:, round(q * (energy.shape[1] - 1))] for q in quantiles]


def _height(landmarks: np.ndarray) -> float:
    """Of a face, in the pixels of its landmarks. A turned face's eyes come together, a nodding one's come
    towards its mouth: the longer of the two distances tells."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    return _HEIGHT * float(max(math.hypot(*(landmarks[1] - landmarks[0])), math.hypot(*(mouth - eyes))))


def _yaw(landmarks: np.ndarray) -> float:
    """Angle of a head over 90 degrees, from how far the nose's tip is off the middle between the eyes:
    of a head turned by t, half the eye distance is seen times cos t, the tip's depth times sin t."""
    left, right, nose = landmarks[:3]
    mouth = landmarks[3:].mean(axis=0)
    middle = (left + right) / 2
    # Along the eyes, but for a profile's, whose two points nearly coincide: then across the face.
    down = mouth - middle
    across = np.array([down[1], -down[0]]) / max(float(np.hypot(*down)), 1e-6)
    half = abs(float((right - left) @ across)) / 2
    offset = abs(float((nose - middle) @ across)) / _NOSE_DEPTH
    return math.atan2(offset, max(half, 1e-6)) / (math.pi / 2)
