"""Real aligned faces, clean and degraded, and the measure by which restored ones are compared."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from tests.support.portraits import aligned_portraits
from vidrestore.degradation.degrade import LEVELS, degrade


@cache
def real_faces() -> Tensor:
    """Two portraits, each clean and degraded at three levels: (8, 3, 512, 512) float32 RGB in [0, 1]."""
    faces = []
    for portrait in aligned_portraits().values():
        clean = torch.from_numpy(portrait).permute(2, 0, 1)
        faces += [clean, *(degrade(clean, level) for level in LEVELS.values())]
    return torch.stack(faces) / 255


def psnr(found: Tensor, expected: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of values in [0, 1]."""
    return -10 * (found.cpu() - expected).square().mean().log10().item()
