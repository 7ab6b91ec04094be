"""Synthetic images that stand for aligned faces where no real face is needed."""

from __future__ import annotations

import numpy as np
import torch

SIZE = 256


def texture(seed: int = 0, size: int = SIZE) -> torch.Tensor:
    """Smooth blobs and edges: (3, size, size) float32 in [0.1, 0.9]."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.random((1, 3, 20, 20), np.float32))
    image = torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic", align_corners=False)[0]
    return (0.2 + 0.6 * image).clamp(0.1, 0.9)


def noisy(images: list[torch.Tensor], deviation: float) -> list[torch.Tensor]:
    """``images`` in [0, 1] with Gaussian noise of ``deviation`` (of 255) added, different in each."""
    generator = torch.Generator().manual_seed(1)
    return [image + deviation / 255 * torch.randn(image.shape, generator=generator) for image in images]
