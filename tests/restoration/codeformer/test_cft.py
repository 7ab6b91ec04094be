"""The feature transformation, and the transformation at the image."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import interpolate

from tests.support.small_networks import AT_IMAGE
from vidrestore.restoration.codeformer import CodeFormer
from vidrestore.restoration.codeformer.cft import FeatureTransform


@pytest.mark.parametrize("inner", [8, 4])
def test_features_are_transformed_as_in_equation_5(inner):
    torch.manual_seed(0)
    transform = FeatureTransform(8, inner, 4)
    encoded, decoded = torch.randn(2, 2, 8, 6, 6)
    w = torch.tensor([0.0, 0.7]).view(2, 1, 1, 1)
    assert torch.equal(transform(encoded, decoded, w), decoded)  # as training begins
    torch.nn.init.normal_(transform.scale[2].weight)
    torch.nn.init.normal_(transform.shift[2].weight)
    both = transform.encode_enc(torch.cat((encoded, decoded), dim=1))
    expected = decoded + w * (decoded * transform.scale(both) + transform.shift(both))
    torch.testing.assert_close(transform(encoded, decoded, w), expected)


def test_image_cft_starts_near_the_input():
    torch.manual_seed(0)
    faces = torch.rand(1, 3, 64, 64) * 2 - 1
    assert (CodeFormer(AT_IMAGE).eval()(faces, w=1) - faces).abs().mean() < 0.05


def test_image_cft_is_linear_in_w_and_depends_on_the_codes():
    torch.manual_seed(0)
    network = CodeFormer(AT_IMAGE).eval()
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    encoding = network.encode(faces)
    codes = torch.arange(2 * 64).view(2, -1) % 32
    zero, half, one = (network.decode(codes, encoding, w) for w in (0.0, 0.5, 1.0))
    assert (zero - one).abs().max() > 1e-3
    torch.testing.assert_close(half, (zero + one) / 2, atol=1e-5, rtol=0)
    mixed = network.decode(codes, encoding, torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(mixed, torch.stack([zero[0], one[1]]))
    assert (network.decode(codes.flip(1), encoding, 1.0) - one).abs().max() > 1e-3


def test_the_correction_is_enlarged_bilinearly():
    torch.manual_seed(0)
    transform = CodeFormer(replace(AT_IMAGE, image_size=128, patch=4)).image_transform
    faces = torch.rand(2, 3, 128, 128)
    correction, detail = torch.randn(2, 2, 3, 64, 64)
    found = transform.change(faces, correction, detail, torch.tensor([0.25, 1.0]).view(2, 1, 1, 1))
    change = torch.stack((correction[0] + 0.75 * detail[0], correction[1]))
    expected = faces + interpolate(change, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(found, expected)


def test_a_part_of_a_face_is_corrected_as_in_the_whole():
    """Except near its edges: training shows the correction parts of faces."""
    torch.manual_seed(0)
    network = CodeFormer(replace(AT_IMAGE, image_size=128, patch=4)).eval()
    faces = torch.rand(1, 3, 128, 128) * 2 - 1
    encoding = network.encode(faces)
    informed = network.inform(network.look_up(torch.arange(64).view(1, -1) % 32, encoding))
    whole = network.image_transform(faces, informed, torch.zeros(1, 1, 1, 1))
    part = network.image_transform(faces[..., 32:, 32:], informed[..., 4:, 4:], torch.zeros(1, 1, 1, 1))
    torch.testing.assert_close(part[..., 48:, 48:], whole[..., 80:, 80:], atol=1e-5, rtol=0)
