"""Blocks that are computed in a faster way give the same results."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vidrestore.restoration.codeformer.blocks import PatchConv, Upsample, double, soften


@pytest.mark.parametrize("shape", [(2, 8, 9, 7), (1, 8, 1, 1)])
def test_upsample_is_nearest_neighbour_then_a_convolution(shape):
    torch.manual_seed(0)
    block, x = Upsample(8), torch.randn(shape)
    expected = block.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
    for same in (block, block.frozen()):
        torch.testing.assert_close(same(x), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("patch", [1, 2, 4])
def test_patch_conv_is_a_convolution_of_unshuffled_pixels(patch):
    torch.manual_seed(0)
    conv, x = PatchConv(3, 5, patch), torch.randn(2, 3, 24, 16)
    patches = functional.pixel_unshuffle(x, patch)
    expected = functional.conv2d(patches, conv.weight, conv.bias, padding=1)
    for same in (conv, conv.frozen()):
        torch.testing.assert_close(same(x), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", [(2, 3, 9, 7), (1, 8, 1, 1), (2, 16, 9, 7)])
def test_double_is_bilinear(shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    expected = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
    torch.testing.assert_close(double(x), expected, atol=1e-5, rtol=0)
    assert double(x).is_contiguous(memory_format=torch.channels_last)


def test_soften_removes_what_alternates_from_pixel_to_pixel():
    y, x = torch.meshgrid(torch.arange(8), torch.arange(6), indexing="ij")
    board = ((x + y) % 2).float()[None, None]
    torch.testing.assert_close(soften(board)[..., 1:-1, 1:-1], torch.full((1, 1, 6, 4), 0.5))
    step = (x > 2).float()[None, None]
    assert soften(step)[0, 0, 3].tolist() == [0, 0, 0.25, 0.75, 1, 1]
    assert soften(step.transpose(2, 3)).equal(soften(step).transpose(2, 3))
