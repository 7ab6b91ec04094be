"""Dark gradients without bands, the same in every frame and on every machine; nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vidrestore.media.frames.colour import Colour, ColourTags
from vidrestore.media.frames.crop import PlanarImage
from vidrestore.media.frames.dither import round_samples, threshold_pattern
from vidrestore.media.frames.pixel_format import planar_format

SHADOWS = (60.0, 93.0)
RAMP = torch.linspace(24, 30, 240).expand(1, 96, 240).contiguous()  # 40 pixels for each step


def widest_error(rounded: torch.Tensor, values: torch.Tensor) -> float:
    """The largest error of the means over 12 x 12 pixels: a band's is up to half a step."""
    return float(F.avg_pool2d(rounded - values, 12, 4).abs().max())


def test_a_dark_gradient_has_no_bands():
    assert widest_error(RAMP.round(), RAMP) > 0.3
    dithered = round_samples(RAMP, (0, 0), SHADOWS)
    assert widest_error(dithered, RAMP) < 0.12
    assert (dithered - RAMP).abs().max() < 1
    assert dithered.equal(dithered.round())


@pytest.mark.parametrize(
    "values",
    [RAMP + 100, RAMP.round(), torch.linspace(20, 58, 32).expand(1, 32, 32)],
    ids=["bright", "whole numbers", "steeper than a step"],
)
def test_what_needs_no_dithering_is_rounded(values):
    assert round_samples(values, (3, 5), SHADOWS).equal(values.round())


def test_without_shadows_nothing_is_dithered():
    assert round_samples(RAMP, (0, 0), None).equal(RAMP.round())


def test_the_pattern_belongs_to_the_place_in_the_frame():
    """A part of the plane is rounded as it is within the whole: no pattern moves when a face does."""
    whole = round_samples(RAMP, (7, 9), SHADOWS)
    part = round_samples(RAMP[:, 20:60, 30:90], (7 + 30, 9 + 20), SHADOWS)
    assert part[:, 1:-1, 1:-1].equal(whole[:, 21:59, 31:89])
    assert round_samples(RAMP, (7, 9), SHADOWS).equal(whole)


def test_the_pattern_is_even():
    pattern = threshold_pattern(256, 256, origin=(1000, 500))
    assert 0 < pattern.min() < 0.05
    assert 0.95 < pattern.max() < 1
    assert np.histogram(pattern, 8, (0, 1))[0] == pytest.approx(256 * 256 / 8, rel=0.05)
    blocks = pattern.reshape(32, 8, 32, 8).mean(axis=(1, 3))
    assert blocks.std() < 0.02  # white noise has .036


@pytest.mark.parametrize(("pix_fmt", "planes"), [("yuv420p", 3), ("gbrp", 3), ("yuv420p10le", 3)])
def test_only_luma_of_eight_bits_is_dithered_and_grey_stays_grey(pix_fmt, planes):
    fmt = planar_format(pix_fmt)
    size, grey = 128, 1 << (fmt.bits - 1)
    shapes = [(size, size)] + [(size >> fmt.subsampling[1], size >> fmt.subsampling[0])] * 2
    samples = [np.full(s, grey, fmt.dtype) for s in shapes]
    image = PlanarImage(samples, fmt, Colour.from_tags(ColourTags(matrix=1, range=1), 1280, 720))
    ramp = torch.linspace(0.05, 0.08, size).expand(3, size, size)
    mask = torch.zeros(size, size)
    mask[2:-2, 2:-2] = 1
    image.blend(ramp, mask, np.eye(3))
    inner = [plane[8:-8, 8:-8] for plane in image.planes]
    rows_differ = [bool((plane != plane[:1]).any()) for plane in inner]
    if fmt.is_rgb:
        assert rows_differ == [True] * planes
        assert (inner[0] == inner[1]).all()
        assert (inner[0] == inner[2]).all()
    else:
        assert rows_differ == [fmt.bits == 8, False, False]
        assert (inner[1] == grey).all()
        assert (inner[2] == grey).all()
