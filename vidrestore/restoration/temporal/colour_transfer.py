"""Keep the input's broad colours in restored faces: no colour cast, no flicker in brightness."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from ..planes import in_order_of, is_channels_last

#: Resolution in pixels at which colours follow the input: of a 512-pixel face, each of these pixels covers
#: 32 x 32, more than any feature that restoration draws.
_SIDE = 16
#: Difference of such a colour between a face that was averaged over time and its own frame that may be noise.
LIGHT_NOISE = 1.5 / 255
#: Shares and sides of the averages, in pixels of that resolution, that count where no pixel is to be counted.
_FILL = ((0.01, 3), (0.01, 7), (0.01, 2 * _SIDE - 1))


def match_colours(
    restored: Tensor, images: Tensor, weight: Tensor | None = None, *, noise: float = 0.0
) -> Tensor:
    """``restored`` (N, 3, S, S) with the low-frequency colours of ``images``, both RGB in [0, 1].

    Differences up to about ``noise`` remain: what is left out of any difference is at most half of that.

    ``weight`` (N, 1, S, S) in [0, 1] says which pixels count, all without it: one that something covers must
    not change the colours around it. Where few pixels count, those around them do.
    """
    change = in_order_of(broad_change(restored, images, weight, noise=noise), restored)
    return spread(change, restored.shape[-1]).add_(restored).clamp_(0, 1)


def broad_change(
    restored: Tensor, images: Tensor, weight: Tensor | None = None, *, noise: float = 0.0
) -> Tensor:
    """What :func:`match_colours` adds to the colours of ``restored``, (N, 3, 16, 16), before :func:`spread`.
    The same pictures reduced, to no less than that, give nearly the same."""
    down, _ = _resampling(restored.shape[-1], restored.device, restored.dtype)
    change = images - restored
    change = _shrink(change, down) if weight is None else _weighted_mean(change, weight, down)
    return change.pow(3) / (change.square() + noise**2) if noise else change


def spread(change: Tensor, size: int, window: tuple[slice, slice] | None = None) -> Tensor:
    """``change`` (N, C, 16, 16) interpolated linearly to the rows and columns ``window``, by default all, of
    (N, C, size, size), in its order in memory."""
    _, up = _resampling(size, change.device, change.dtype)
    rows, columns = window or (slice(None), slice(None))
    return _enlarge(change, up[rows], up[columns])


def _shrink(x: Tensor, down: Tensor) -> Tensor:
    """``x`` (N, C, H, H) with rows and columns reduced by ``down`` (K, H): (N, C, K, K)."""
    if not is_channels_last(x):
        return down @ x @ down.T
    # A copy in another order would take longer than all the rest.
    rows = down @ x.permute(0, 2, 3, 1).flatten(2)
    return (down @ rows.unflatten(2, (-1, x.shape[1]))).permute(0, 3, 1, 2)


def _enlarge(x: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """``x`` (N, C, K, K) with rows interpolated by ``down`` (H, K) and columns by ``across`` (W, K):
    (N, C, H, W), in the order of ``x`` in memory."""
    if not is_channels_last(x):
        return down @ x @ across.T
    columns = across @ x.permute(0, 2, 3, 1)
    return (down @ columns.flatten(2)).unflatten(2, (-1, x.shape[1])).permute(0, 3, 1, 2)


def _weighted_mean(x: Tensor, weight: Tensor, down: Tensor) -> Tensor:
    """``x`` (N, C, S, S) reduced by ``down``, each pixel counting by ``weight`` (N, 1, S, S)."""
    sums, weights = (_shrink(y, down) for y in (x * weight, weight.to(x)))
    # A little of ever wider averages fills what has no weight of its own.
    for share, side in _FILL:
        wide = [F.avg_pool2d(y, side, 1, side // 2, count_include_pad=False) for y in (sums, weights)]
        sums, weights = (y + share * z for y, z in zip((sums, weights), wide, strict=True))
    return sums / (weights + 1e-9)


@cache
def _resampling(size: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Two matrices: (_SIDE, size) averages ``size`` pixels to _SIDE and smooths them by (1, 2, 1) with a
    replicated border; (size, _SIDE) interpolates linearly back. They are kept on ``device``: a copy would
    wait for what runs there."""
    mean = F.interpolate(torch.eye(size)[None], _SIDE, mode="area")[0].T
    padded = F.pad(mean.T[None], (1, 1), mode="replicate")[0].T
    down = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    up = F.interpolate(torch.eye(_SIDE)[None], size, mode="linear", align_corners=False)[0].T
    return down.to(device, dtype), up.to(device, dtype)


def replace_non_finite(restored: Tensor, images: Tensor) -> Tensor:
    """``restored`` (N, 3, S, S) with ``images`` where it is not finite, which can happen in reduced precision
    and would show as a black face."""
    # One pass tells that all is finite, which is nearly always so. On a GPU reading the answer would wait.
    if restored.device.type == "cpu" and restored.float().sum().isfinite():
        return restored
    return torch.where(torch.isfinite(restored).all(dim=1, keepdim=True), restored, images)
