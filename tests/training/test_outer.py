"""What the layers at the image learn from, when a network has grown."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from tests.support.small_networks import HALF, LARGE
from vidrestore.restoration.codeformer import CodeFormer
from vidrestore.restoration.codeformer.blocks import local_means
from vidrestore.training.grow import grow
from vidrestore.training.outer import OuterLayers


def grown() -> tuple[CodeFormer, CodeFormer, OuterLayers]:
    torch.manual_seed(0)
    large, small = CodeFormer(LARGE), CodeFormer(HALF)
    grow(large, small.state_dict())
    outer = OuterLayers(large)
    outer.first.load_state_dict(small.encoder.blocks[0].state_dict())
    return large, small, outer


def test_features_are_those_of_the_small_network_on_the_downscaled_face() -> None:
    large, small, outer = grown()
    clean = torch.rand(2, 3, 128, 128) * 2 - 1
    _, features = outer.look(large, clean)
    with torch.no_grad():
        torch.testing.assert_close(features, small.encoder(F.avg_pool2d(clean, 2))[0])
    assert not features.requires_grad


def test_layers_that_pass_on_what_the_small_network_sees_have_no_error() -> None:
    large, _, outer = grown()
    clean = torch.rand(2, 3, 128, 128) * 2 - 1
    x = large.encoder.seen(clean)
    with torch.no_grad():
        for block in large.encoder.blocks[: large.encoder.outer]:
            x = block(x)
        assert outer.imitation(large, clean, x) == 0
        assert outer.imitation(large, clean, x + 1) > 0
        # Measured against the variance of what is imitated.
        variance = (2 * x).var(correction=0)
        torch.testing.assert_close(outer.imitation(large, clean, 2 * x), x.pow(2).mean() / variance)


def test_images_are_the_same_part_of_the_faces_and_of_what_is_generated() -> None:
    large, _, outer = grown()
    ramp = torch.linspace(-1, 1, 128)
    rows, columns = torch.meshgrid(ramp, ramp, indexing="ij")
    clean = torch.stack((rows, columns, rows))[None]  # says where each pixel lies
    codes = torch.randn(1, LARGE.code_channels, 8, 8)
    image, part = outer.images(large, codes, clean, torch.Generator().manual_seed(3))
    assert image.shape == part.shape == (1, 3, 64, 64)
    top = int((ramp == part[0, 0, 0, 0]).nonzero())
    left = int((ramp == part[0, 1, 0, 0]).nonzero())
    assert torch.equal(clean[..., top : top + 64, left : left + 64], part)
    second = large.config.sizes[1]
    with torch.no_grad():
        inner = large.generator(codes, {}, until=second)[
            ..., top // 8 : top // 8 + 8, left // 8 : left // 8 + 8
        ]
        expected = large.generator.image(large.generator(inner, {}, after=second))
        expected += local_means(clean, large.config.cell)[..., top : top + 64, left : left + 64]
    torch.testing.assert_close(image.detach(), expected, rtol=0, atol=1e-5)
    image.mean().backward()
    trained = {name for name, value in large.named_parameters() if value.grad is not None}
    last = max(index for index, size in large.generator.taps.items() if size == second)
    loaded = tuple(f"generator.blocks.{index}." for index in range(last + 1))
    assert trained
    assert not {name for name in trained if name.startswith(loaded)}
