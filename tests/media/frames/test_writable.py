"""What of a frame a crop may write."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.runs import face_frame
from vidrestore.media.frames.colour import Colour
from vidrestore.media.frames.frame import Frame
from vidrestore.media.frames.hole import Hole
from vidrestore.media.frames.writable import missing_samples, with_luma_of

MATRIX = np.array([[1.0, 0, -8], [0, 1.0, -8], [0, 0, 1]])


def test_samples_with_half_of_their_pixels_missing_are_missing():
    missing = np.array([[1, 1, 0, 0, 1], [0, 0, 0, 1, 1], [1, 0, 0, 0, 1]], bool)
    assert missing_samples(missing, (3, 5)).tolist() == missing.tolist()
    assert missing_samples(missing, (2, 3)).tolist() == [[1, 0, 1], [1, 0, 1]]


def test_colours_take_the_luma_of_others_and_become_paler_where_they_do_not_fit():
    weights = (0.7, 0.1, 0.2)
    own, colours = torch.rand(3, 5, 5), torch.rand(3, 5, 5)
    result = with_luma_of(255 * colours, 255 * own, weights, 255.0)
    shares = torch.tensor(weights)
    assert torch.allclose(
        torch.tensordot(shares, result, 1), 255 * torch.tensordot(shares, own, 1), atol=0.01
    )
    assert -0.01 <= result.min() <= result.max() <= 255.01
    grey = with_luma_of(colours, torch.ones(3, 5, 5), weights, 1.0)
    assert torch.allclose(grey, torch.ones(()), atol=1e-5)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p10le", "yuv422p", "gbrp", "gbrp16le"])
def test_colours_are_written_and_luma_stays(pix_fmt):
    frame = Frame(0, face_frame(64, 48, "gray").reformat(format=pix_fmt), Colour(full_range="gbr" in pix_fmt))
    before = [plane.astype(np.int64).copy() for plane in frame.image().planes]
    rgb = torch.tensor([0.6, 0.4, 0.3])[:, None, None].expand(3, 32, 32)
    frame.image(editable=True, keeps_luma=True).blend(rgb, torch.ones(32, 32), MATRIX)
    after = [plane.astype(np.int64) for plane in frame.image().planes]
    if "gbr" in pix_fmt:
        weights = (1 - 0.2126 - 0.0722, 0.0722, 0.2126)
        lumas = [
            sum(w * plane for w, plane in zip(weights, planes, strict=True)) for planes in (before, after)
        ]
        assert np.abs(lumas[0] - lumas[1]).max() <= 0.51
        assert (after[2] > after[0])[12:36, 12:36].mean() > 0.9
    else:
        assert np.array_equal(before[0], after[0])
        middle = 1 << (frame.image().format.bits - 1)
        assert (after[2] > middle).mean() > 0.2


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv411p", "gbrp", "gray"])
def test_only_missing_pixels_are_written(pix_fmt):
    missing = np.zeros((48, 64), np.uint8)
    missing[15:25, 17:30] = 1
    frame = Frame(0, face_frame(64, 48, pix_fmt), Colour(full_range=pix_fmt in ("gbrp", "gray")))
    frame.hole = Hole.of(missing)
    before = [plane.copy() for plane in frame.image().planes]
    frame.image(editable=True).blend(torch.full((3, 32, 32), 0.1), torch.ones(32, 32), MATRIX)
    for old, new in zip(before, frame.image().planes, strict=True):
        where = missing_samples(missing > 0, new.shape) > 0
        assert np.array_equal(old[~where], new[~where])
        if new.shape == missing.shape:
            assert (old != new)[where].mean() > 0.8
