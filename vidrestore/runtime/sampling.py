"""Sample images at any places, on every device."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def sample(images: Tensor, grid: Tensor) -> Tensor:
    """Sample ``images`` (N, C, H, W) bilinearly at ``grid`` (N, h, w, 2), whose x and y run from -1 to 1
    between the outer edges: (N, C, h, w). Beyond the edges the border is replicated.

    Places beyond the middles of the outermost pixels are moved there, which is the same as PyTorch's padding
    mode "border"; on Apple's devices that mode is missing up to version 2.12.
    """
    height, width = images.shape[-2:]
    limit = torch.tensor((1 - 1 / width, 1 - 1 / height), dtype=grid.dtype).to(grid.device)
    return F.grid_sample(images, torch.clamp(grid, -limit, limit), align_corners=False)
