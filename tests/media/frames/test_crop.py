"""Crops out of native planes and back: right colours, right places, nothing else touched."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.clips import pattern
from vidrestore.media.frames.colour import Colour, ColourTags
from vidrestore.media.frames.crop import PlanarImage
from vidrestore.media.frames.pixel_format import planar_format, plane_views

FORMATS = [
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "yuv420p10le",
    "yuv444p12le",
    "yuvj420p",
    "gray",
    "gray10le",
    "gbrp",
    "gbrp10le",
]


def picture_of(frame) -> PlanarImage:
    colour = Colour.from_tags(ColourTags(matrix=1, range=1), frame.width, frame.height, frame.format.name)
    return PlanarImage(plane_views(frame), planar_format(frame.format.name), colour)


def crop_matrix(scale: float, x: float, y: float, degrees: float = 0.0) -> np.ndarray:
    """Frame to crop: (x, y) becomes the crop's top left corner."""
    c, s = np.cos(np.radians(degrees)) * scale, np.sin(np.radians(degrees)) * scale
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return turn @ np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_a_crop_blended_back_is_the_frame(pix_fmt):
    """Reading at the frame's own scale and writing it back changes nothing but by rounding."""
    frame = pattern(2, 160, 120, pix_fmt)
    picture = picture_of(frame)
    before = [plane.astype(int) for plane in picture.planes]
    matrix = crop_matrix(1, 40, 30)
    mask = torch.zeros(64, 64)
    mask[8:-8, 8:-8] = 1
    picture.blend(picture.read(matrix, 64), mask, matrix)
    subsampled = any(picture.format.subsampling)
    for number, (plane, old) in enumerate(zip(picture.planes, before, strict=True)):
        # Subsampled chroma is interpolated to the crop and averaged back; all else is read and written 1:1.
        tolerance = 3 << (picture.format.bits - 8) if subsampled and number else 0
        assert np.abs(plane.astype(int) - old).max() <= tolerance


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_samples_outside_the_mask_keep_every_bit(pix_fmt):
    frame = pattern(3, 160, 121, pix_fmt)
    picture = picture_of(frame)
    before = [plane.copy() for plane in picture.planes]
    matrix = crop_matrix(1.7, 50, 20, degrees=11)
    side = 100
    grid = torch.arange(side) - side / 2 + 0.5
    mask = ((grid[None] ** 2 + grid[:, None] ** 2).sqrt() < 30).float()
    picture.blend(torch.rand(3, side, side), mask, matrix)
    centre = np.linalg.inv(matrix) @ (side / 2, side / 2, 1)
    for number, (plane, old) in enumerate(zip(picture.planes, before, strict=True)):
        across, down = picture.format.subsampling if number and not picture.format.is_rgb else (0, 0)
        y, x = np.mgrid[0 : plane.shape[0], 0 : plane.shape[1]]
        distance = np.hypot((x + 0.5) * 2**across - centre[0], (y + 0.5) * 2**down - centre[1])
        far = distance > 30 / 1.7 + 3 * 2 ** max(across, down)
        np.testing.assert_array_equal(plane[far], old[far])
        assert (plane != old).any()


@pytest.mark.parametrize(
    ("location", "axis", "first"),
    # Where the first chroma sample lies, in luma pixels from the picture's edge.
    [(1, 1, 0.5), (2, 1, 1.0), (3, 1, 0.5), (4, 1, 1.0), (1, 0, 1.0), (3, 0, 0.5), (4, 0, 0.5), (5, 0, 1.5)],
)
def test_chroma_lies_where_its_siting_says(location, axis, first):
    """A ramp of chroma is read at luma positions without the half-pixel shift of a wrong siting."""
    form = planar_format("yuv420p")
    luma = np.full((64, 64), 128, np.uint8)
    position = 2 * np.arange(32) + first
    ramp = np.tile((64 + 2 * position).astype(np.float32), (32, 1))
    ramp = ramp if axis else np.ascontiguousarray(ramp.T)
    colour = Colour(chroma_location=location)
    picture = PlanarImage([luma, ramp, np.full((32, 32), 128, np.float32)], form, colour)
    rgb = picture.read(np.eye(3), 64)
    u = colour.rgb_to_yuv(rgb, 8)[1]
    u = u[32, 8:40] if axis else u[8:40, 32]
    np.testing.assert_allclose(u, 64 + 2 * (np.arange(8, 40) + 0.5), atol=0.01)


def test_shrinking_does_not_alias():
    """A crop at a quarter of the size shows the average of a fine checkerboard, not its phase."""
    plane = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    picture = PlanarImage([plane], planar_format("gray"), Colour(full_range=True))
    crop = picture.read(crop_matrix(0.25, 0.3, 0.6), 48)
    assert crop.std() < 0.02
    assert crop.mean() == pytest.approx(0.5, abs=0.02)


def test_beyond_the_edge_the_border_is_repeated():
    plane = np.tile(np.arange(32, dtype=np.uint8) * 8, (32, 1))
    picture = PlanarImage([plane], planar_format("gray"), Colour(full_range=True))
    crop = picture.read(crop_matrix(1, -10, 0), 32)[0]
    assert (crop[:, :10] == 0).all()
    picture.blend(torch.ones(3, 32, 32), torch.ones(32, 32), crop_matrix(1, -10, -200))  # wholly outside
    np.testing.assert_array_equal(plane[0], np.arange(32) * 8)
