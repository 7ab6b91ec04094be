"""The sizes of a CodeFormer."""

from __future__ import annotations

import json

import pytest

from tests.support.small_networks import AT_IMAGE, SMALL
from vidrestore.restoration.codeformer import CodeFormerConfig


@pytest.mark.parametrize(
    "config", [CodeFormerConfig(), SMALL, AT_IMAGE], ids=["published", "small", "at image"]
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
        ({"image_widths": (8, 12)}, "exclude each other"),
        ({"cft_sizes": (), "image_widths": (8, 12)}, "three or more levels"),
        ({"multipliers": (1, 2, 2), "cft_sizes": (), "image_widths": (8, 11, 16)}, "even"),
    ],
)
def test_impossible_sizes_are_errors(change, message):
    with pytest.raises(ValueError, match=message):
        CodeFormerConfig.from_dict(SMALL.to_dict() | change)
