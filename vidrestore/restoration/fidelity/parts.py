"""Where the eyes, the mouth and the nostrils of an aligned face are, as soft maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...runtime.cuda_streams import upload
from ...runtime.ramps import smoothstep

#: Half the width and half the height of a part, in eye distances: up to the first it is wholly inside, from
#: the second on wholly outside. The mouth's width begins at its corners.
_EYE_WIDTH, _EYE_HEIGHT = (0.36, 0.58), (0.30, 0.50)
_MOUTH_WIDTH, _MOUTH_HEIGHT = (0.10, 0.34), (0.32, 0.54)
#: Of the nostrils, whose middle lies this far below the tip of the nose.
_NOSE_WIDTH, _NOSE_HEIGHT, _BELOW_TIP = (0.32, 0.52), (0.17, 0.36), 0.06
#: Smallest half width between the corners of a mouth, in eye distances: a turned head shows less of it.
_NARROWEST_MOUTH = 0.3
#: The eyes of a turned head come close together, so the eye distance is taken to be at least this share of
#: the distance between eyes and mouth.
_LEAST_EYE_DISTANCE = 0.75


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the parts of N aligned faces are: the left eye, the right eye, the mouth and the nostrils."""

    maps: Tensor  #: (N, 4, M, M) float32 in [0, 1], each covering the whole face
    #: The rows and columns that hold all parts of all faces, as shares of the side of a face.
    rows: tuple[float, float]
    columns: tuple[float, float]

    @property
    def features(self) -> Tensor:
        """(N, 3, M, M): the maps of the eyes and the mouth, by whose shape a face is recognised."""
        return self.maps[:, :3]


def find_parts(landmarks: np.ndarray, size: int, side: int, device: torch.device | str = "cpu") -> Parts:
    """Find the eyes, the mouths and the nostrils of N faces.

    Args:
        landmarks: (N, 5, 2) in pixels of aligned faces of ``size`` x ``size``: left eye, right eye, nose,
            left and right mouth corner.
        size: Side of the faces.
        side: Side of the maps.
        device: Where the maps are made.
    """
    points = np.asarray(landmarks, np.float64) / size
    eyes, mouth = points[:, :2].mean(axis=1), points[:, 3:].mean(axis=1)
    down = mouth - eyes
    height = np.maximum(np.linalg.norm(down, axis=1), 1e-3)
    unit = np.maximum(np.linalg.norm(points[:, 1] - points[:, 0], axis=1), _LEAST_EYE_DISTANCE * height)
    along = down / height[:, None]  # from the eyes to the mouth
    across = along[:, ::-1] * (1, -1)
    corners = np.linalg.norm(points[:, 4] - points[:, 3], axis=1) / (2 * unit)
    corners = np.maximum(corners, _NARROWEST_MOUTH)

    nostrils = points[:, 2] + _BELOW_TIP * unit[:, None] * along
    centres = np.stack((points[:, 0], points[:, 1], mouth, nostrils), axis=1)  # (N, 4, 2)
    shape = (*centres.shape[:2], 2)
    widths = np.broadcast_to(np.array([_EYE_WIDTH, _EYE_WIDTH, _MOUTH_WIDTH, _NOSE_WIDTH]), shape).copy()
    widths[:, 2] += corners[:, None]
    heights = np.broadcast_to(np.array([_EYE_HEIGHT, _EYE_HEIGHT, _MOUTH_HEIGHT, _NOSE_HEIGHT]), shape)
    maps = [
        _falling(centres, axis / unit[:, None], bounds, side, device)
        for axis, bounds in ((across, widths), (along, heights))
    ]
    outer = widths[..., 1:] * np.abs(across[:, None]) + heights[..., 1:] * np.abs(along[:, None])
    reach = outer * unit[:, None, None]
    first, last = (centres - reach).min(axis=(0, 1)), (centres + reach).max(axis=(0, 1))
    columns, rows = zip(first.clip(0, 1).tolist(), last.clip(0, 1).tolist(), strict=True)
    return Parts(maps[0] * maps[1], rows, columns)


def _falling(
    centres: np.ndarray, axis: np.ndarray, bounds: np.ndarray, side: int, device: torch.device | str
) -> Tensor:
    """1 where the distance from ``centres`` (N, K, 2) along ``axis`` (N, 2) is up to the first of ``bounds``
    (N, K, 2), falling smoothly to 0 at the second: (N, K, side, side)."""
    axes = np.broadcast_to(axis[:, None], centres.shape)
    offset = (centres * axes).sum(axis=2, keepdims=True)
    numbers = np.concatenate((axes, offset, bounds), axis=2, dtype=np.float32)
    x, y, c, low, high = upload(numbers, device)[..., None, None].unbind(2)
    grid = (torch.arange(side, device=device, dtype=torch.float32) + 0.5) / side
    distance = (x * grid[None, :] + (y * grid[:, None] - c)).abs()
    return smoothstep((high - distance) / (high - low))
