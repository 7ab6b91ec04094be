"""Images are sampled as with PyTorch's border, which some devices lack."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from vidrestore.runtime.sampling import sample


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (12, 5)])
def test_beyond_the_edges_the_border_is_replicated(size: tuple[int, int]) -> None:
    generator = torch.manual_seed(0)
    images = torch.rand(2, 3, *size, generator=generator)
    grid = 3 * torch.rand(2, 9, 8, 2, generator=generator) - 1.5
    wanted = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    assert (sample(images, grid) - wanted).abs().max() < 1e-6
