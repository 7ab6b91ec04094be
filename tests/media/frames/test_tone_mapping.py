"""HDR is tone-mapped to SDR by the numbers of the standards, and back without loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.clips import pattern
from vidrestore.media.frames.colour import Colour, ColourTags
from vidrestore.media.frames.crop import PlanarImage
from vidrestore.media.frames.pixel_format import planar_format, plane_views
from vidrestore.media.frames.tone_mapping import Transfer

PQ, HLG = 16, 18


def grey(value: float) -> torch.Tensor:
    return torch.full((3, 1, 1), value)


@pytest.mark.parametrize(
    ("number", "signal", "nits"),
    [
        # ITU-R BT.2408, table 1: reference white, and a grey card of 18 %, in either signal.
        (PQ, 0.58, 203),
        (PQ, 0.38, 26),
        (HLG, 0.75, 203),
        (HLG, 0.38, 26),
        # Black and the peak of both signals in BT.2100.
        (PQ, 1.0, 10000),
        (PQ, 0.0, 0),
        (HLG, 1.0, 1000),
        (HLG, 0.0, 0),
    ],
)
def test_luminance_follows_the_standards(number, signal, nits):
    shown = Transfer.from_tags(number, 0).to_sdr(grey(signal))[0].item()
    # Up to the knee an SDR display of BT.1886 shows the same light where its white is 203 cd/m2.
    sdr = (nits / 203) ** (1 / 2.4)
    if sdr <= 0.75:
        assert shown == pytest.approx(sdr, abs=0.01)
    else:
        assert 0.75 < shown <= 1.0001
        assert (shown > 0.99) == (nits >= 1000)


@pytest.mark.parametrize("number", [PQ, HLG])
@pytest.mark.parametrize("primaries", [1, 9])
def test_every_grey_returns_within_a_fraction_of_a_10_bit_step(number, primaries):
    transfer = Transfer.from_tags(number, primaries)
    codes = torch.arange(1024) / 1023
    signal = codes.expand(3, 1, -1)
    shown = transfer.to_sdr(signal)
    assert (shown.diff() >= 0).all()
    np.testing.assert_allclose(transfer.from_sdr(shown), signal, atol=0.4 / 1023)


@pytest.mark.parametrize("number", [PQ, HLG])
def test_skin_looks_the_same_in_pq_and_hlg(number):
    """Skin in linear BT.709 light, converted to BT.2020 primaries (BT.2087, table 4)."""
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    light = np.array([0.35, 0.20, 0.14])
    nits = 203 * (to_2020 @ light)
    if number == PQ:
        y = (nits / 10000) ** (2610 / 16384)
        signal = ((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)
    else:
        display = nits / 1000
        scene = display * (display @ (0.2627, 0.6780, 0.0593)) ** (1 / 1.2 - 1)
        lower, upper = np.sqrt(3 * scene), 0.17883277 * np.log(12 * scene - 0.28466892) + 0.55991073
        signal = np.where(scene <= 1 / 12, lower, upper)
    transfer = Transfer.from_tags(number, 9)
    signal = torch.tensor(signal, dtype=torch.float32).reshape(3, 1, 1)
    shown = transfer.to_sdr(signal)
    np.testing.assert_allclose(shown.flatten(), light ** (1 / 2.4), atol=2e-3)
    np.testing.assert_allclose(transfer.from_sdr(shown), signal, atol=1e-4)


def test_sdr_is_unchanged():
    assert Transfer.from_tags(1, 9) is None
    rgb = torch.rand(3, 4, 4)
    assert Colour.from_tags(ColourTags(matrix=1, range=1, transfer=1), 64, 48).to_sdr(rgb) is rgb


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "gbrp10le", "gray10le"])
def test_an_unchanged_crop_blended_back_changes_samples_by_two_steps_at_most(pix_fmt):
    frame = pattern(3, 96, 64, pix_fmt)
    colour = Colour.from_tags(ColourTags(matrix=9, range=1, transfer=PQ, primaries=9), 96, 64)
    image = PlanarImage(plane_views(frame), planar_format(pix_fmt), colour)
    for plane in image.planes:  # within the range of the signal, and of low saturation, like skin
        plane[...] = 500 + (plane.astype(int) - 512) // 12
    before = [plane.copy() for plane in image.planes]
    rgb = image.read(np.eye(3), 96)
    image.blend(rgb, torch.ones(96, 96), np.eye(3))
    for old, new in zip(before, image.planes, strict=True):
        assert np.abs(old.astype(int) - new).max() <= 2
