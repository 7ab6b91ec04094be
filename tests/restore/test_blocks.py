"""What blocks save is not at the cost of what they compute."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vidrestore.restore.codeformer.blocks import Upsample


@pytest.mark.parametrize("shape", [(2, 8, 9, 7), (1, 8, 1, 1)])
def test_upsample_is_nearest_neighbour_and_a_convolution(shape):
    torch.manual_seed(0)
    block, x = Upsample(8), torch.randn(shape)
    expected = block.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
    torch.testing.assert_close(block(x), expected, atol=1e-5, rtol=0)
