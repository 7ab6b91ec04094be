"""Blending along flow: both implementations give the same result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vidrestore.restoration.temporal.blend import Contribution, _blend_torch, blend
from vidrestore.restoration.temporal.light import Light

SIZE = 64


def smooth(seed: int, channels: int, size: int = SIZE) -> torch.Tensor:
    coarse = torch.rand((1, channels, 6, 6), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic", align_corners=False)[0]


def contribution(seed: int, channels: int, *, side: int, still: bool) -> Contribution:
    flow = None if still else 3 * (smooth(seed + 1, 2, side).permute(1, 2, 0).numpy() - 0.5)
    return Contribution(smooth(seed, channels), flow, smooth(seed + 2, 1, side)[0].abs().numpy())


def test_without_contributions_the_image_is_returned():
    image = smooth(0, 4)
    assert blend(image, []) is image
    nothing = Contribution(smooth(1, 4), None, np.zeros((8, 8), np.float32))
    assert blend(image, [nothing]) is image


def test_a_blend_is_the_weighted_mean():
    a, b = smooth(0, 3), smooth(1, 3)
    found = blend(a, [Contribution(b, None, np.full((16, 16), 3, np.float32))])
    torch.testing.assert_close(found, (a + 3 * b) / 4)


def test_flow_is_the_offset_of_each_pixel():
    image = smooth(0, 4)
    shifted = torch.roll(image, (2, -4), dims=(1, 2))  # down by 2, left by 4
    flow = np.tile(np.array([-2.0, 1.0], np.float16), (32, 32, 1))  # in pixels of a map of half the size
    found = blend(image, [Contribution(shifted, flow, np.ones((32, 32), np.float32))])
    inner = (slice(None), slice(8, -8), slice(8, -8))
    torch.testing.assert_close(found[inner], image[inner], atol=1e-3, rtol=0)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("side", [SIZE // 2, SIZE])
def test_both_implementations_agree(channels, dtype, side):
    image = smooth(9, channels).to(dtype)
    others = [contribution(10 * i, channels, side=side, still=i == 1) for i in range(3)]
    # OpenCV's places are rounded to 1/32 of a pixel in some versions.
    torch.testing.assert_close(blend(image, others), _blend_torch(image, others), atol=0.01, rtol=0)
    assert blend(image, others).dtype == dtype


@pytest.mark.parametrize("channels", [3, 4])
def test_a_contribution_is_brought_to_another_light(channels):
    """Gain and offset of the colours; a fourth channel is the mask, which has no light."""
    light = Light(np.full((16, 16, 3), 1.5, "f4"), np.full((16, 16, 3), -25.5, "f4"))
    a, b = (0.3 + 0.3 * smooth(seed, channels) for seed in (0, 1))
    there = [
        Contribution(b, None, np.full((16, 16), 3, "f4"), light),
        contribution(20, channels, side=16, still=False),
    ]
    bright = torch.cat((1.5 * b[:3] - 0.1, b[3:]))
    by_hand = [Contribution(bright, None, there[0].weight), there[1]]
    torch.testing.assert_close(blend(a, there), blend(a, by_hand), atol=1e-4, rtol=0)
    torch.testing.assert_close(_blend_torch(a, there), _blend_torch(a, by_hand), atol=1e-4, rtol=0)


def test_no_light_leaves_the_range():
    light = Light(np.full((16, 16, 3), 3, "f4"), np.zeros((16, 16, 3), "f4"))
    found = blend(0.5 + 0 * smooth(0, 3), [Contribution(smooth(1, 3), None, np.ones((16, 16), "f4"), light)])
    assert 0 <= found.min() <= found.max() == 1


@pytest.mark.gpu
def test_a_gpu_gives_the_same_result():
    image, others = smooth(9, 4), [contribution(10 * i, 4, side=16, still=i == 1) for i in range(3)]
    there = [Contribution(other.image.cuda(), other.flow, other.weight) for other in others]
    torch.testing.assert_close(blend(image.cuda(), there).cpu(), blend(image, others), atol=0.01, rtol=0)


@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("rows", [(0, 0), (0, 3), (5, 6), (9, 16)])
@pytest.mark.parametrize("shown", [None, (slice(13, 50), slice(8, 47))])
def test_a_weight_in_some_rows_alone(rows, still, shown):
    """Rows without weight are not computed, which changes nothing."""
    image, dense = smooth(9, 4), contribution(10, 4, side=16, still=True)
    light = Light(np.full((16, 16, 3), 0.9, "f4"), np.full((16, 16, 3), 5.0, "f4"))
    other = replace(contribution(20, 4, side=16, still=still), light=light)
    weight = np.zeros_like(other.weight)
    weight[slice(*rows), 2:13] = other.weight[slice(*rows), 2:13]
    others = [dense, replace(other, weight=weight)]
    inside = shown or (slice(None), slice(None))
    found, expected = blend(image, others, shown), _blend_torch(image, others).clamp_(0, 1)
    torch.testing.assert_close(found[:, *inside].clamp(0, 1), expected[:, *inside], atol=0.01, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_in_a_window_a_blend_is_that_of_the_whole(dtype):
    image = smooth(9, 4).to(dtype)
    light = Light(np.full((16, 16, 3), 0.9, "f4"), np.full((16, 16, 3), 5.0, "f4"))
    others = [contribution(10 * i, 4, side=16, still=i == 1) for i in range(3)]
    others[1] = replace(others[1], light=light)
    shown = (slice(13, 50), slice(0, 47))
    whole, part = blend(image, others), blend(image, others, shown)
    torch.testing.assert_close(part[:, *shown], whole[:, *shown], atol=1e-3, rtol=0)
    assert part[:, 60:].equal(image[:, 60:].clamp(0, 1))
    assert not whole[:, 60:].equal(part[:, 60:])
