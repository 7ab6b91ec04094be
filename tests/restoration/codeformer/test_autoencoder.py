"""The autoencoder's shapes and the levels at which features are read and transformed."""

from __future__ import annotations

import pytest
import torch

from tests.support.small_networks import AT_IMAGE, SMALL
from vidrestore.restoration.codeformer.autoencoder import Encoder, Generator


@pytest.mark.parametrize("config", [SMALL, AT_IMAGE], ids=["two levels", "three levels"])
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
    assert seen == [(2, widths[size], size, size) for size in reversed(config.sizes)]
    assert generator.image(finest).shape == faces.shape


def test_the_generator_stops_at_a_level():
    torch.manual_seed(0)
    generator = Generator(AT_IMAGE)
    size = AT_IMAGE.sizes[1]
    features = torch.randn(1, AT_IMAGE.code_channels, AT_IMAGE.code_grid, AT_IMAGE.code_grid)
    assert generator(features, {}, until=size).shape == (1, AT_IMAGE.widths[1], size, size)
