"""The autoencoder's shapes and the levels at which features are read and transformed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.support.small_networks import AT_IMAGE, FACE, SMALL
from vidrestore.restoration.codeformer.autoencoder import Encoder, Generator
from vidrestore.restoration.codeformer.blocks import PatchConv, SmoothUpsample, Upsample, whiten

Upsampling = (Upsample, SmoothUpsample)


@pytest.mark.parametrize("config", [SMALL, AT_IMAGE, FACE], ids=["two levels", "three levels", "face"])
def test_each_level_is_read_and_transformed_once(config):
    torch.manual_seed(0)
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    features, levels = Encoder(config)(faces)
    assert features.shape == (2, config.code_channels, config.code_grid, config.code_grid)
    widths = dict(zip(config.sizes, config.widths, strict=True))
    assert {size: level.shape for size, level in levels.items()} == {
        size: (2, width, size, size) for size, width in widths.items()
    }
    seen = []

    def transform(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.shape)
        return x

    generator = Generator(config)
    finest = generator(features, dict.fromkeys(config.sizes, transform))
    drawn = {size: width for size, (width, _) in zip(config.sizes, config.generator_levels, strict=True)}
    assert seen == [(2, drawn[size], size, size) for size in reversed(config.sizes)]
    assert generator.image(finest).shape == faces.shape


def test_the_generator_stops_at_a_level():
    torch.manual_seed(0)
    generator = Generator(AT_IMAGE)
    size = AT_IMAGE.sizes[1]
    features = torch.randn(1, AT_IMAGE.code_channels, AT_IMAGE.code_grid, AT_IMAGE.code_grid)
    assert generator(features, {}, until=size).shape == (1, AT_IMAGE.widths[1], size, size)


@pytest.mark.parametrize("part", [Encoder, Generator])
def test_each_level_has_its_own_depth(part):
    few, more = (
        len(part(replace(FACE, residual_blocks=depths, generator_blocks=())).blocks)
        for depths in (1, (1, 1, 2))
    )
    assert more == few + 2  # a residual block and, on the code grid, an attention block


def test_upsampling_may_output_the_next_levels_channels():
    shapes = [
        [block.conv.weight.shape[:2] for block in Generator(config).blocks if isinstance(block, Upsampling)]
        for config in (replace(FACE, narrow_upsampling=False), FACE)
    ]
    assert shapes == [[(32, 32), (32, 32)], [(32, 32), (24, 32)]]


def test_the_generator_may_have_its_own_widths_and_depths():
    same = Generator(replace(FACE, generator_widths=(), generator_blocks=()))
    own = Generator(replace(FACE, generator_widths=(16, 32, 32), generator_blocks=(1, 1, 2)))
    assert {n: x.shape for n, x in same.state_dict().items()} == {
        n: x.shape for n, x in own.state_dict().items()
    }
    deeper = Generator(replace(FACE, generator_widths=(16, 32, 32), generator_blocks=(2, 1, 2)))
    assert len(deeper.blocks) == len(own.blocks) + 1


def test_an_image_of_smooth_upsampling_has_no_blocks():
    """A change of one value before it spreads like a tent; by nearest neighbour, it fills a block."""
    steps = []
    for smooth in (True, False):
        torch.manual_seed(0)
        generator = Generator(replace(FACE, smooth_upsampling=smooth, head_widths=()))
        upsampling = generator.blocks[max(generator.taps) - 1]
        assert isinstance(upsampling, SmoothUpsample if smooth else Upsample)
        with torch.no_grad():
            upsampling.conv.weight.zero_()
            upsampling.conv.weight[:, 0, 1, 1] = 1
            x = torch.zeros(1, 32, 16, 16)
            x[0, 0, 8, 8] = 1
            row = (upsampling(x) - upsampling(0 * x))[0, 0, 16]
        steps.append(row.diff().abs().max().item())
    assert steps[1] == pytest.approx(1)
    assert steps[0] == pytest.approx(0.375)


def test_positions_are_added_on_the_code_grid():
    torch.manual_seed(0)
    encoder, generator = Encoder(FACE).eval(), Generator(FACE).eval()
    faces, codes = torch.rand(1, 3, 64, 64), torch.randn(1, FACE.code_channels, 8, 8)
    with torch.no_grad():
        before = encoder(faces), generator(codes, {})
        plain = Encoder(replace(FACE, positions=False))
        plain.load_state_dict(encoder.state_dict(), strict=False)
        assert torch.equal(plain.eval()(faces)[0], before[0][0])  # initially zero
        for part in (encoder, generator):
            part.positions.normal_()
        after = encoder(faces), generator(codes, {})
    assert not torch.equal(after[0][0], before[0][0])
    assert torch.equal(after[0][1][16], before[0][1][16])  # the finer level does not see them
    assert not torch.equal(after[1], before[1])


@pytest.mark.parametrize("config", [SMALL, FACE], ids=["pixel shuffle", "image head"])
def test_the_last_weight_makes_the_image(config):
    torch.manual_seed(0)
    generator = Generator(config)
    image = generator.image(torch.randn(1, config.generator_levels[0][0], 16, 16))
    (gradient,) = torch.autograd.grad(image.square().mean(), generator.last_weight)
    assert gradient.abs().min() > 0


def test_the_encoder_begins_with_whitened_patches():
    first = Encoder(replace(FACE, patch=4, generator_widths=())).blocks[0]
    expected = PatchConv(3, FACE.channels, 4)
    whiten(expected, 4)
    torch.testing.assert_close(first.weight[:, :, 1, 1], expected.weight[:, :, 1, 1])
