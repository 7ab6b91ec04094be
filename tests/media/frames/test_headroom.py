"""Samples that a crop cannot hold keep their value, or their distance from what it holds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidrestore.media.frames.colour import Colour, ColourTags
from vidrestore.media.frames.crop import PlanarImage
from vidrestore.media.frames.headroom import measure_headroom
from vidrestore.media.frames.pixel_format import planar_format

SIZE = 64
MASK = torch.zeros(SIZE, SIZE)
MASK[4:-4, 4:-4] = 1
INSIDE = (slice(8, -8), slice(8, -8))


def image_of(pix_fmt: str, codes: tuple[float, float, float], tags: ColourTags) -> PlanarImage:
    """A flat picture; ``codes`` are 8-bit sample values."""
    fmt = planar_format(pix_fmt)
    scale = 1 << (fmt.bits - 8)
    planes = []
    for number, code in enumerate(codes[: fmt.colour_planes]):
        across, down = fmt.subsampling if number else (0, 0)
        planes.append(np.full((SIZE >> down, SIZE >> across), round(code * scale), fmt.dtype))
    return PlanarImage(planes, fmt, Colour.from_tags(tags, 1280, 720))


def change(image: PlanarImage, amount: float) -> list[float]:
    """By how many 8-bit steps each plane changes when ``amount`` is added to its crop as it was read."""
    before = [plane.astype(float) for plane in image.planes]
    image.blend(image.read(np.eye(3), SIZE) + amount, MASK, np.eye(3))
    scale = 1 << (image.format.bits - 8)
    return [
        float((plane[INSIDE] - old[INSIDE]).mean()) / scale
        for plane, old in zip(image.planes, before, strict=True)
    ]


SDR, FULL = ColourTags(matrix=1, range=1), ColourTags(matrix=1, range=2)
PQ, HLG = (ColourTags(primaries=9, transfer=t, matrix=9, range=1) for t in (16, 18))


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv422p10le", "yuv420p12le", "gray", "gray10le"])
@pytest.mark.parametrize("y", [3, 7, 14, 237, 248, 254])
def test_black_and_white_beyond_the_nominal_range_stay(pix_fmt, y):
    """A crop that restoration leaves alone changes nothing, in whatever range."""
    image = image_of(pix_fmt, (y, 128, 128), SDR)
    assert change(image, 0.0) == pytest.approx([0] * len(image.planes), abs=0.01)


@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv444p10le"])
@pytest.mark.parametrize("codes", [(180, 60, 220), (90, 250, 120), (40, 128, 235), (235, 5, 128)])
def test_colours_beyond_the_range_of_rgb_stay(pix_fmt, codes):
    image = image_of(pix_fmt, codes, SDR)
    assert change(image, 0.0) == pytest.approx([0, 0, 0], abs=0.01)


@pytest.mark.parametrize("tags", [PQ, HLG], ids=["PQ", "HLG"])
@pytest.mark.parametrize("codes", [(200, 128, 128), (120, 60, 200), (60, 190, 90), (10, 128, 128)])
def test_hdr_beyond_sdr_stays(tags, codes):
    """Highlights above SDR's white, and colours of BT.2020 that BT.709 has not."""
    image = image_of("yuv444p10le", codes, tags)
    assert change(image, 0.0) == pytest.approx([0, 0, 0], abs=0.26)


@pytest.mark.parametrize(
    ("y", "amount", "expected"),
    [
        (120, -0.02, -0.02 * 219),  # within: the change is written
        (237, -0.02, -0.02 * 219),  # a codec's ringing: likewise, from 237
        (239, -0.02, -0.02 * 219 * 0.5),  # the share that is kept grows
        (248, -0.02, 0.0),  # the network knows nothing of it
        (15, 0.02, 0.02 * 219),
        (7, 0.02, 0.0),
    ],
)
def test_the_change_is_written_not_the_value(y, amount, expected):
    image = image_of("yuv420p10le", (y, 128, 128), SDR)
    assert change(image, amount)[0] == pytest.approx(expected, abs=0.15)


def test_highlights_of_hdr_are_kept_from_reference_white_on():
    """203 cd/m2 is code 16 + 219 * 0.58 in PQ (BT.2408, table 1)."""
    white = Colour.from_tags(PQ, 1280, 720).transfer
    assert white is not None
    assert white.white == pytest.approx(0.5807, abs=1e-3)
    below, above = (image_of("yuv444p10le", (y, 128, 128), PQ) for y in (130, 160))
    assert change(below, -0.05)[0] < -1
    assert change(above, -0.05)[0] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("pix_fmt", ["yuv444p", "gbrp", "gbrp10le", "gray"])
def test_what_a_crop_holds_as_a_whole_has_no_headroom(pix_fmt):
    signal = torch.rand(3, 6, 8, generator=torch.Generator().manual_seed(0))
    colour, fmt = Colour.from_tags(SDR, 1280, 720), planar_format(pix_fmt)
    assert measure_headroom(signal, signal, colour, fmt) is None
    beyond = signal.clone()
    beyond[1, 2, 3] = 1.02
    found = measure_headroom(beyond, beyond.clamp(0, 1), colour, fmt)
    assert found is not None
    assert (found.lost.abs().amax(0) > 0).nonzero().tolist() == [[2, 3]]
