"""Resampling by a ratio, as Pillow does it, and thinning to where samples of chroma lie."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from vidrestore.upscale.lanczos import enlarged_plane
from vidrestore.upscale.resample import reach, resample, thin


@pytest.mark.parametrize(("up", "down"), [(2, 1), (3, 1), (4, 1), (3, 2), (4, 3), (2, 4), (3, 4), (2, 8)])
def test_the_inside_is_as_pillow_makes_it(up, down):
    plane = torch.rand(48, 72, generator=torch.Generator().manual_seed(0))
    size = (72 * up // down, 48 * up // down)
    expected = np.asarray(Image.fromarray(plane.numpy()).resize(size, Image.Resampling.LANCZOS))
    ours = resample(plane[None], up, down)[0].numpy()
    assert ours.shape == expected.shape
    edge = -(-reach(up, down) * up // down)
    assert np.abs(ours - expected)[edge:-edge, edge:-edge].max() < 2e-6


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("shift", [0.0, 0.125])
def test_planes_are_as_the_resampler_of_frames_makes_them(factor, shift):
    plane = np.random.default_rng(0).integers(0, 256, (9, 14), np.uint8)
    expected = enlarged_plane(plane, factor, bits=8).astype(int)
    ours = resample(torch.from_numpy(plane).float()[None], factor, shift=(shift, shift))[0]
    if not shift:
        assert (ours.round().clamp(0, 255).numpy() - expected == 0).all()
    assert ours.shape == (9 * factor, 14 * factor)


def test_nothing_beyond_its_reach_matters():
    for up, down in ((2, 1), (4, 1), (2, 4), (3, 4)):
        x = torch.rand(1, 60, 60)
        taps = -(-reach(up, down) // down) * down
        part = resample(x[:, 24 - taps : 36 + taps], up, down)
        trimmed = part[:, taps * up // down : part.shape[1] - taps * up // down]
        assert torch.equal(trimmed, resample(x, up, down)[:, 24 * up // down : 36 * up // down])


@pytest.mark.parametrize(("offset", "first"), [(1.0, 0.5), (0.0, 1.0), (-1.0, 1.5)])
def test_a_ramp_is_sampled_where_chroma_lies(offset, first):
    ramp = (torch.arange(16.0) + 0.5).expand(1, 6, 16)
    thinned = thin(ramp, (2, 1), (offset, 0.0))
    assert thinned.shape == (1, 6, 8)
    assert torch.allclose(thinned[0, 0, 1:-1], first + 2 * torch.arange(1.0, 7.0))
    assert torch.equal(thin(ramp.transpose(1, 2), (1, 2), (0.0, offset)), thinned.transpose(1, 2))


def test_odd_sizes_are_filled_up():
    assert thin(torch.ones(2, 5, 7), (2, 2), (1.0, 0.0)).shape == (2, 3, 4)
    assert torch.allclose(thin(torch.ones(2, 5, 7), (4, 1), (1.0, 0.0)), torch.ones(2, 5, 2))
