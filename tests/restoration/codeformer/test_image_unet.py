"""The U-Net at the image that the correction and the transformation at the image share."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import interpolate

from vidrestore.restoration.codeformer.image_unet import ImageUNet


def network(patch: int = 4) -> ImageUNet:
    torch.manual_seed(0)
    return ImageUNet((16, 16, 32), features=8, patch=patch, outputs=3)


@pytest.mark.parametrize("patch", [2, 4, 8])
def test_a_change_has_a_pixel_for_half_a_patch_and_starts_small(patch):
    unet = network(patch)
    x, decoded = torch.rand(1, 3, 128, 128), torch.randn(1, 8, 64 // patch, 64 // patch)
    change = unet.predict(x, decoded)
    assert change.shape == (1, 3, 256 // patch, 256 // patch)
    assert 0 < change.abs().mean() < 0.1
    enlarged = unet.enlarge(change)
    assert enlarged.shape == x.shape
    if patch == 4:  # one doubling
        expected = interpolate(change, scale_factor=2, mode="bilinear", align_corners=False)
        torch.testing.assert_close(enlarged, expected)


def test_the_input_and_the_features_both_take_part():
    unet = network()
    x, decoded = torch.rand(1, 3, 64, 64), torch.randn(1, 8, 8, 8)
    change = unet.predict(x, decoded)
    assert (unet.predict(x.flip(3), decoded) - change).abs().max() > 1e-4
    assert (unet.predict(x, decoded.flip(3)) - change).abs().max() > 1e-5


def test_a_part_of_a_face_changes_as_the_whole_does():
    """Far from the part's edges: stage III trains on parts, whole faces are restored."""
    unet = network()
    x, decoded = torch.rand(1, 3, 512, 512), torch.randn(1, 8, 64, 64)
    whole = unet.predict(x, decoded)
    part = unet.predict(x[..., 128:384, 128:384], decoded[..., 16:48, 16:48])
    torch.testing.assert_close(part[..., 56:72, 56:72], whole[..., 120:136, 120:136], rtol=0, atol=1e-4)
