"""Blocks that are computed in a faster way give the same results."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vidrestore.restoration.codeformer.blocks import (
    AttentionBlock,
    PatchConv,
    Upsample,
    double,
    image_head,
    whiten,
)


@pytest.mark.parametrize("channels", [8, 5])
@pytest.mark.parametrize("shape", [(2, 8, 9, 7), (1, 8, 1, 1)])
def test_upsample_is_nearest_neighbour_then_a_convolution(shape, channels):
    torch.manual_seed(0)
    block, x = Upsample(8, channels), torch.randn(shape)
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
    with torch.no_grad():
        assert double(x).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("widths", "factor"), [((), 4), ((6,), 4), ((6, 5), 4), ((6,), 2)])
def test_an_image_head_enlarges_by_the_patch(widths, factor):
    torch.manual_seed(0)
    head = image_head(8, widths, factor)
    rest = factor >> len(widths)
    image = functional.pixel_shuffle(head(torch.randn(2, 8, 6, 7)), rest)
    assert image.shape == (2, 3, 6 * factor, 7 * factor)
    # The pixels of a patch start alike, so that no lattice is there to be unlearned.
    flat = functional.pixel_shuffle(head(torch.ones(1, 8, 6, 6)), rest)[..., 2 * factor : 4 * factor, :]
    assert flat[..., 2 * factor : 4 * factor].std(dim=(2, 3)).max() < 1e-5


def test_whitened_blocks_have_outputs_of_one_size():
    """On images whose pixels correlate as assumed, where plain weights would see brightness only."""
    torch.manual_seed(0)
    side, places = 2, torch.cartesian_prod(torch.arange(2.0), torch.arange(2.0))
    colours = 0.9 * torch.ones(3, 3) + 0.1 * torch.eye(3)
    covariance = 0.2 * torch.kron(colours, 0.97 ** torch.cdist(places, places)) + 0.03**2 * torch.eye(12)
    blocks = torch.randn(4000, 12) @ torch.linalg.cholesky(covariance).T
    conv = PatchConv(3, 12, side)
    whiten(conv, side)
    responses = blocks @ conv.weight[:, :, 1, 1].T
    assert responses.std(dim=0).tolist() == pytest.approx([1.0] * 12, abs=0.05)
    assert torch.equal(conv.bias, torch.zeros(12))


def test_attention_is_the_same_in_training_and_at_inference():
    torch.manual_seed(0)
    block, x = AttentionBlock(16, 4), torch.randn(2, 16, 6, 5)
    with torch.no_grad():
        expected = block(x)
    found = block(x.requires_grad_())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    found.sum().backward()
    assert torch.isfinite(x.grad).all()
