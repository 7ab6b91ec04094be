"""NAFNet's norm and gated block."""

from __future__ import annotations

import torch

from vidrestore.restoration.codeformer.gated import GatedBlock, LayerNorm


def test_each_pixel_is_normalised_over_its_channels():
    torch.manual_seed(0)
    x = torch.randn(2, 8, 5, 4) * 3 + 1
    found = LayerNorm(8)(x)
    torch.testing.assert_close(found.mean(dim=1), torch.zeros(2, 5, 4), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std(dim=1, correction=0), torch.ones(2, 5, 4), atol=1e-3, rtol=0)


def test_a_block_adds_the_scaled_product_of_two_halves():
    torch.manual_seed(0)
    block, x = GatedBlock(8), torch.randn(2, 8, 5, 4)
    a, b = block.conv(block.norm(x)).chunk(2, dim=1)
    expected = x + block.scale * block.conv_out(a * b)
    torch.testing.assert_close(block(x), expected)
    assert (block(x) - x).abs().max() > 0.01
