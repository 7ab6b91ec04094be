"""What of a frame a crop may write, if that is not all: only colours, or only what is missing."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def missing_samples(missing: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(h, w) float32: 1 for each sample of a plane of ``shape`` (h, w) at least half of whose pixels are
    ``missing`` (H, W), else 0."""
    steps = [-(-whole // own) for whole, own in zip(missing.shape, shape, strict=True)]
    more = [own * step - whole for own, step, whole in zip(shape, steps, missing.shape, strict=True)]
    padded = np.pad(missing, [(0, rest) for rest in more], mode="edge")
    blocks = padded.reshape(shape[0], steps[0], shape[1], steps[1])
    return np.asarray(2 * blocks.sum(axis=(1, 3)) >= steps[0] * steps[1], np.float32)


def with_luma_of(colours: Tensor, own: Tensor, weights: tuple[float, ...], top: float) -> Tensor:
    """``colours`` (3, H, W) with the luma of ``own`` (3, H, W), both in [0, ``top``].

    ``weights`` are those of the three channels in luma. Colours that do not fit at that luma become paler.
    """
    shares = torch.tensor(weights, device=colours.device)
    luma = torch.tensordot(shares, own, 1)
    chroma = colours - torch.tensordot(shares, colours, 1)
    room = torch.where(chroma > 0, top - luma, luma).clamp_min_(0)
    fits = (room / chroma.abs().clamp_min(1e-6)).amin(dim=0).clamp_(0, 1)
    return luma + chroma * fits
