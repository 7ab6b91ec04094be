"""The sizes of a CodeFormer."""

from __future__ import annotations

import json

import pytest

from tests.support.small_networks import AT_IMAGE, FACE, SMALL
from vidrestore.restoration.codeformer import CodeFormerConfig


@pytest.mark.parametrize(
    "config", [CodeFormerConfig(), SMALL, AT_IMAGE, FACE], ids=["published", "small", "at image", "face"]
)
def test_a_header_holds_the_whole_configuration(config):
    assert CodeFormerConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_levels_of_the_published_network():
    config = CodeFormerConfig()
    assert config.sizes == (512, 256, 128, 64, 32, 16)
    assert config.widths == (64, 128, 128, 256, 256, 512)
    assert config.code_grid == 16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": 30}, "multiple"),
        ({"colour": 1}, r"unknown CodeFormer settings \['colour'\]"),
        ({"cft_sizes": (8,)}, "not among the levels"),
        ({"residual_blocks": (1, 2, 3)}, "must be at least 1 for each of the levels"),
        ({"residual_blocks": (1, 0)}, r"residual_blocks \(1, 0\) must be at least 1"),
        ({"head_widths": (8, 8)}, "patch 2 is not a multiple of 2\\^2"),
        ({"generator_widths": (16,)}, r"generator_widths \(16,\) must be at least 1 for each of the levels"),
        ({"generator_blocks": (0, 1)}, r"generator_blocks \(0, 1\) must be at least 1"),
        (
            {"generator_widths": (24, 32)},
            "the level 32 has a feature transformation and must have 16 channels",
        ),
        ({"image_widths": (8, 12)}, "three or more levels"),
        ({"multipliers": (1, 2, 2), "image_widths": (8, 11, 16)}, "even"),
        ({"patch": 1, "multipliers": (1, 2, 2), "image_widths": (8, 12, 16)}, "a power of 2 above 1"),
    ],
)
def test_impossible_sizes_are_errors(change, message):
    with pytest.raises(ValueError, match=message):
        CodeFormerConfig.from_dict(SMALL.to_dict() | change)


@pytest.mark.parametrize(
    ("config", "kept"), [(SMALL, (32, 16)), (AT_IMAGE, ()), (FACE, (16, 8))], ids=["CFT", "at image", "both"]
)
def test_decoding_needs_the_levels_of_the_cft(config, kept):
    assert config.kept_sizes == kept
