"""The soft mask under which a restored face is blended into its frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...runtime.cuda_streams import upload
from ...runtime.ramps import smoothstep
from ..face import Neighbour

#: The oval of a face: its centre, as a share of the way from the eyes to the mouth; half its height, in
#: eye-mouth distances; half its width, in eye distances.
_CENTRE, _HALF_HEIGHT, _HALF_WIDTH = 0.36, 1.55, 1.32
#: The eyes of a turned head come close together while its face stays wide, so the eye distance is taken to
#: be at least this share of the eye-mouth distance.
_LEAST_EYE_DISTANCE = 0.75
#: The mask is 1 up to this radius of the oval, and falls to 0 at radius 1.
_CORE = 0.62
#: Where two faces overlap: the side of the map in which that is decided; the difference of the two radii over
#: which one gives way to the other; and the radius from which on nothing is another face's.
_SHARE_SIDE, _SHARED, _ALMOST = 128, 0.3, 1.3
#: Pixels of a 512-pixel face over which the mask falls to 0 at the border of the crop.
_BORDER = 20


def oval_masks(landmarks: np.ndarray, size: int, device: torch.device | str = "cpu") -> Tensor:
    """Return a soft oval mask over each face: (N, size, size) float32 in [0, 1], 0 at the border of the crop.

    ``landmarks`` (N, 5, 2) are in pixels of the aligned faces.
    """
    radius = _radius(landmarks, size, device)
    return smoothstep((1 - radius) / (1 - _CORE)) * border_mask(size, device)


def own_share(
    landmarks: np.ndarray, neighbours: Sequence[Neighbour], size: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Return what of a crop is not another face's: (size, size) float32 in [0, 1].

    ``landmarks`` (5, 2) are those of the crop's own face, in its pixels. A place in another face's oval
    belongs to the face whose oval it lies deeper in, with a soft border; in a crop, the other face is off
    the middle, where restorers have not learned to see one. A neighbour that fades in or out has its place
    in that measure.
    """
    points = np.stack([landmarks, *(other.landmarks for other in neighbours)])
    own, *others = _radius(points * (_SHARE_SIDE / size), _SHARE_SIDE, device)
    share = torch.ones_like(own)
    for radius, other in zip(others, neighbours, strict=True):
        deeper = smoothstep(0.5 + (own - radius) / _SHARED)
        inside = smoothstep((_ALMOST - radius) / (_ALMOST - 1))
        share = share * (1 - other.strength * deeper * inside)
    return F.interpolate(share[None, None], (size, size), mode="bilinear", align_corners=False)[0, 0]


def _radius(landmarks: np.ndarray, size: int, device: torch.device | str) -> Tensor:
    """How far each pixel is from the middle of each face's oval, whose border is at 1: (N, size, size)
    float32. ``landmarks`` (N, 5, 2) are in these pixels."""
    eyes, mouth = landmarks[:, :2].mean(axis=1), landmarks[:, 3:].mean(axis=1)
    down = mouth - eyes
    height = np.maximum(np.linalg.norm(down, axis=1), 1.0)[:, None]
    width = np.linalg.norm(landmarks[:, 1] - landmarks[:, 0], axis=1)[:, None]
    width = np.maximum(width, _LEAST_EYE_DISTANCE * height)
    axis = down / height
    # Map pixels to the axes of the oval, along the face and across it, in units of its half height and half
    # width.
    along, across = axis / (_HALF_HEIGHT * height), axis[:, ::-1] * (1, -1) / (_HALF_WIDTH * width)
    units = np.stack((along, across), axis=1)
    centre = units @ (eyes + _CENTRE * down)[..., None]
    x, y, c = upload(np.concatenate((units, centre), axis=2, dtype=np.float32), device).unbind(2)
    grid = torch.arange(size, device=device, dtype=torch.float32) + 0.5
    places = x[..., None, None] * grid[None, :] + (y[..., None, None] * grid[:, None] - c[..., None, None])
    return torch.sqrt(places.square_().sum(dim=1))


def border_mask(size: int, device: torch.device | str = "cpu") -> Tensor:
    """Return a (size, size) float32 mask: 1 inside, falling smoothly to 0 at the border of the crop."""
    grid = torch.arange(size, device=device, dtype=torch.float32) + 0.5
    ramp = smoothstep(torch.minimum(grid, size - grid) / (_BORDER * size / 512))
    return ramp[None, :] * ramp[:, None]
