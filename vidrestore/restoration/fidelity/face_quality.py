"""Measure a face's quality without a reference: size, sharpness, noise and pose."""

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

#: Side in pixels at which faces are measured, and the rows and columns that show the face itself: forehead to
#: chin, cheek to cheek.
_SIDE = 512
_ROWS, _COLUMNS = slice(112, 464), slice(96, 416)
#: Height of a face from chin to hairline, relative to the longer of its eye and its eye-mouth distance.
_HEIGHT = 2.6
#: The octaves below 512 pixels in which edges are measured. For each: the side of its blocks in pixels; the
#: strength of a sharp face's edges relative to its coarse contrast (three in four sharp portraits reach it);
#: and for white noise the ratio of energy between the strongest and the quiet blocks.
_OCTAVES = ((8, 0.58, 1.8), (8, 0.8, 1.8), (4, 1.15, 2.4), (4, 1.35, 2.7))
#: Octaves in which noise is measured in quiet blocks: in coarser ones no part of a face is quiet.
_NOISE_OCTAVES = 3
#: Quantiles of the blocks' energy: of quiet blocks, and of the edges of eyes, mouth and nostrils.
_QUIET, _EDGES = 0.25, 0.97
#: Enlarging by a factor s reduces a face's noise to about s ** -0.4 of it (measured, bilinear).
_SMOOTHING = 0.4
#: Distance of the tip of the nose from the plane of the eyes, in half eye distances.
_NOSE_DEPTH = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceQuality:
    """The quality of one aligned face, or of the faces of one track over a window of time."""

    size: float  #: height of the face from chin to hairline, in pixels of the frame
    sharpness: float  #: share of the octaves below 512 pixels in which its edges are visible, in [0, 1]
    #: Standard deviation of the luma's noise, on a scale of 0 to 255: half of the frame's, which alignment's
    #: interpolation smooths. The skin of a sharp clean face counts as up to 2.
    noise: float
    yaw: float  #: rotation to the side, over 90 degrees: 0 frontal, 0.5 at 45 degrees, 1 in profile


@torch.inference_mode()
def measure_quality(
    images: Tensor, scales: Sequence[float], landmarks: Sequence[np.ndarray] | np.ndarray
) -> list[FaceQuality]:
    """Measure the quality of N aligned faces.

    Compression blocks are not measured: alignment's rotation and scaling hide where they are, and in-loop
    filters leave none.

    Args:
        images: (N, 3, S, S) RGB in [0, 1].
        scales: N scale factors of the similarities that cut the faces out: crop pixels per frame pixel.
        landmarks: (N, 5, 2) in crop pixels: left eye, right eye, nose, left and right mouth corner.
    """
    if not len(images):
        return []
    sharpness, noise = _sharpness_and_noise(images)
    return [
        FaceQuality(
            size=_height(points) / scale,
            sharpness=sharp,
            noise=noisy * max(scale, 1.0) ** _SMOOTHING,
            yaw=_yaw(points),
        )
        for scale, points, sharp, noisy in zip(scales, landmarks, sharpness, noise, strict=True)
    ]


def median_quality(qualities: Sequence[FaceQuality]) -> FaceQuality:
    """The median of each measure, so that a blink or a blurred frame does not count. Raises ValueError for an
    empty sequence."""
    if not qualities:
        raise ValueError("cannot take the median of no face qualities; give at least one")
    columns = zip(*map(astuple, qualities), strict=True)
    size, sharpness, noise, yaw = (median(column) for column in columns)
    return FaceQuality(size=size, sharpness=sharpness, noise=noise, yaw=yaw)


def _sharpness_and_noise(images: Tensor) -> tuple[list[float], list[float]]:
    """Sharpness and noise of faces (N, 3, S, S).

    A Laplacian responds to an edge equally in every octave down to the one at which blur has removed it, and
    it responds to noise everywhere, edges or not. So an octave is present in a face if its strongest blocks
    exceed what noise alone would give them, relative to the face's coarse contrast.
    """
    x = images.float()
    if x.shape[-1] != _SIDE:
        x = F.interpolate(x, size=(_SIDE, _SIDE), mode="bilinear", antialias=True, align_corners=False)
    x = x[..., _ROWS, _COLUMNS]
    levels = 255 * luma(x, 1)
    energies, noises = [], []
    for octave, (block, _, spread) in enumerate(_OCTAVES):
        dx, dy = _second_difference(levels, -1), _second_difference(levels, -2)
        quiet, edges = _blocks(dx[..., 1:-1, :] + dy[..., 1:-1], block, _QUIET, _EDGES)
        energies.append((edges - spread * quiet).clamp_min(0))
        if octave < _NOISE_OCTAVES:
            # Immerkaer's operator (1996): its response to white noise has 6 times the noise's deviation.
            noises.append(_blocks(_second_difference(dy, -1), block, _QUIET)[0].sqrt() / 6)
        levels = F.avg_pool2d(levels, 2)
    coarse = _second_difference(levels, -2)[..., 1:-1] + _second_difference(levels, -1)[..., 1:-1, :]
    contrast = coarse.square().mean(dim=(-2, -1)).sqrt().clamp_min(1)
    present = [
        (energy.sqrt() / (typical * contrast)).clamp_max(1)
        for energy, (_, typical, _) in zip(energies, _OCTAVES, strict=True)
    ]
    measures = torch.stack((torch.stack(present).mean(dim=0), torch.stack(noises).amax(dim=0)))
    sharpness, noise = measures.tolist()  # at once: a GPU is waited for
    return sharpness, noise


def _second_difference(x: Tensor, dim: int) -> Tensor:
    """x[i - 1] - 2 x[i] + x[i + 1] along ``dim``, shorter by two than ``x``."""
    length = x.shape[dim] - 2
    return x.narrow(dim, 0, length) + x.narrow(dim, 2, length) - 2 * x.narrow(dim, 1, length)


def _blocks(response: Tensor, side: int, *quantiles: float) -> list[Tensor]:
    """Quantiles, over blocks of ``side`` pixels, of the mean square of ``response`` (N, H, W): each (N,)."""
    energy = F.avg_pool2d(response.square(), side).flatten(1).sort(dim=1).values
    return [energy[:, round(q * (energy.shape[1] - 1))] for q in quantiles]


def _height(landmarks: np.ndarray) -> float:
    """Height of a face in the pixels of its landmarks. Yaw shortens the eye distance and pitch the eye-mouth
    distance, so the longer of the two is used."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    return _HEIGHT * float(max(math.hypot(*(landmarks[1] - landmarks[0])), math.hypot(*(mouth - eyes))))


def _yaw(landmarks: np.ndarray) -> float:
    """Yaw over 90 degrees, from the offset of the tip of the nose from the middle between the eyes: rotation
    by t scales the visible half eye distance by cos t, and the tip's depth becomes an offset by sin t."""
    left, right, nose = landmarks[:3]
    mouth = landmarks[3:].mean(axis=0)
    middle = (left + right) / 2
    # Measured across the face, not along the eyes: in profile the two eyes' points nearly coincide.
    down = mouth - middle
    across = np.array([down[1], -down[0]]) / max(float(np.hypot(*down)), 1e-6)
    half = abs(float((right - left) @ across)) / 2
    offset = abs(float((nose - middle) @ across)) / _NOSE_DEPTH
    return math.atan2(offset, max(half, 1e-6)) / (math.pi / 2)
