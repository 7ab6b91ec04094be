"""Blur and resizing as matrix products: one matrix for the rows, one for the columns of an image."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Gaussians with a smaller deviation, in pixels, are skipped.
_POINT = 0.1
#: Weights below this do not change 8-bit values.
_NEGLIGIBLE = 1e-9
#: Rows of a matrix per product; more rows have fewer zeros in common.
_TILE = 64
#: Matrices with a side up to this are multiplied directly, which is about as fast.
_SMALL = 256


@lru_cache(maxsize=512)
def resize_matrix(size: int, out: int, mode: str) -> Tensor:
    """Return the matrix (out, size) that resizes a row from ``size`` to ``out`` pixels.

    ``mode`` is "area", "bilinear" or "bicubic", the latter two with antialiasing.
    """
    if size == out:
        return torch.eye(size)
    lines = torch.eye(size)[None]  # each channel is a unit vector
    if mode == "area":
        return F.interpolate(lines, size=out, mode="area")[0].T.contiguous()
    image = lines[:, :, None].expand(-1, -1, 4, -1)  # the height does not matter
    return F.interpolate(image, size=(4, out), mode=mode, antialias=True)[0, :, 0].T.contiguous()


def shrink_matrix(side: int, small: int, sigma: float, mode: str) -> Tensor:
    """Return the matrix (small, side) of a Gaussian blur of deviation ``sigma`` pixels and a resize."""
    resize = resize_matrix(side, small, mode)
    if sigma < _POINT:
        return resize
    blur = gaussian_matrices(side, torch.tensor([sigma]))[0]
    return blur if small == side else multiply(resize, blur)


def gaussian_matrices(side: int, sigmas: Tensor) -> Tensor:
    """Return the matrices (N, side, side) of Gaussian blurs with deviations ``sigmas`` (N,), on their device.

    The weights sum to 1 at the borders too.
    """
    distance = torch.arange(1 - side, side, dtype=torch.float32, device=sigmas.device)
    lines = torch.exp(-0.5 * (distance / sigmas.float().clamp(min=_POINT)[:, None]) ** 2)
    kernels = lines.unfold(1, side, 1).flip(1).contiguous()
    return kernels / kernels.sum(dim=2, keepdim=True)


def multiply(matrix: Tensor, x: Tensor) -> Tensor:
    """Return ``matrix`` (m, k) @ ``x`` (..., k, n). On the CPU most zeros of a band matrix are skipped."""
    if x.is_cuda or min(matrix.shape) <= _SMALL:
        return matrix @ x
    used = matrix.abs().numpy() > _NEGLIGIBLE
    tiles = range(0, len(matrix), _TILE)
    starts = np.minimum.reduceat(used.argmax(axis=1), tiles)
    stops = matrix.shape[1] - np.minimum.reduceat(used[:, ::-1].argmax(axis=1), tiles)
    out = x.new_empty(*x.shape[:-2], len(matrix), x.shape[-1])
    for row, start, stop in zip(tiles, starts, stops, strict=True):
        out[..., row : row + _TILE, :] = matrix[row : row + _TILE, start:stop] @ x[..., start:stop, :]
    return out


def resample(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Resample ``x`` (..., h, w): vertically by ``rows`` (h', h), horizontally by ``columns`` (w', w)."""
    x = multiply(rows, x)
    return multiply(columns, x.transpose(-1, -2)).transpose(-1, -2)
