"""Crops are read from planes and blended back with the right colours in the right places, and nothing else
changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.clips import pattern
from vidrestore.media.frames.colour import Colour, ColourTags
from vidrestore.media.frames.crop import PlanarImage, occupied
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


def image_of(frame) -> PlanarImage:
    colour = Colour.from_tags(ColourTags(matrix=1, range=1), frame.width, frame.height, frame.format.name)
    return PlanarImage(plane_views(frame), planar_format(frame.format.name), colour)


def crop_matrix(scale: float, x: float, y: float, degrees: float = 0.0) -> np.ndarray:
    """The map from frame to crop pixels that moves (x, y) to the top left corner."""
    c, s = np.cos(np.radians(degrees)) * scale, np.sin(np.radians(degrees)) * scale
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return turn @ np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_a_crop_blended_back_is_the_frame(pix_fmt):
    """Reading at the frame's own scale and writing it back changes nothing except by rounding."""
    frame = pattern(2, 160, 120, pix_fmt)
    image = image_of(frame)
    before = [plane.astype(int) for plane in image.planes]
    matrix = crop_matrix(1, 40, 30)
    mask = torch.zeros(64, 64)
    mask[8:-8, 8:-8] = 1
    image.blend(image.read(matrix, 64), mask, matrix)
    subsampled = any(image.format.subsampling)
    for number, (plane, old) in enumerate(zip(image.planes, before, strict=True)):
        # Subsampled chroma is interpolated to the crop and averaged back; all else is read and written 1:1.
        tolerance = 3 << (image.format.bits - 8) if subsampled and number else 0
        assert np.abs(plane.astype(int) - old).max() <= tolerance


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_samples_outside_the_mask_are_unchanged(pix_fmt):
    frame = pattern(3, 160, 121, pix_fmt)
    image = image_of(frame)
    before = [plane.copy() for plane in image.planes]
    matrix = crop_matrix(1.7, 50, 20, degrees=11)
    side = 100
    grid = torch.arange(side) - side / 2 + 0.5
    mask = ((grid[None] ** 2 + grid[:, None] ** 2).sqrt() < 30).float()
    written = image.blend(torch.rand(3, side, side), mask, matrix)
    y0, y1, x0, x1 = written.bounds
    (row, column), (height, width) = written.corner, written.after.shape
    rows, columns = slice(row, row + height), slice(column, column + width)
    np.testing.assert_array_equal(written.before, before[0][rows, columns])
    np.testing.assert_array_equal(written.after, image.planes[0][rows, columns])
    centre = np.linalg.inv(matrix) @ (side / 2, side / 2, 1)
    for number, (plane, old) in enumerate(zip(image.planes, before, strict=True)):
        across, down = image.format.subsampling if number and not image.format.is_rgb else (0, 0)
        y, x = np.mgrid[0 : plane.shape[0], 0 : plane.shape[1]]
        distance = np.hypot((x + 0.5) * 2**across - centre[0], (y + 0.5) * 2**down - centre[1])
        far = distance > 30 / 1.7 + 3 * 2 ** max(across, down)
        np.testing.assert_array_equal(plane[far], old[far])
        changed = plane != old
        assert changed.any()
        changed[y0 >> down : -(-y1 >> down), x0 >> across : -(-x1 >> across)] = False
        assert not changed.any(), "outside of what it says was written"


def test_a_crop_outside_the_frame_writes_nothing():
    image = image_of(pattern(3, 160, 121, "yuv420p"))
    assert image.blend(torch.rand(3, 50, 50), torch.ones(50, 50), crop_matrix(1.0, 500, 20)) is None


@pytest.mark.parametrize(
    ("location", "axis", "first"),
    # Where the first chroma sample lies, in luma pixels from the image's edge.
    [(1, 1, 0.5), (2, 1, 1.0), (3, 1, 0.5), (4, 1, 1.0), (1, 0, 1.0), (3, 0, 0.5), (4, 0, 0.5), (5, 0, 1.5)],
)
def test_chroma_is_read_at_its_location(location, axis, first):
    """A ramp of chroma is read at luma positions without the half-pixel shift of a wrong location."""
    form = planar_format("yuv420p")
    luma = np.full((64, 64), 128, np.uint8)
    position = 2 * np.arange(32) + first
    ramp = np.tile((64 + 2 * position).astype(np.float32), (32, 1))
    ramp = ramp if axis else np.ascontiguousarray(ramp.T)
    colour = Colour(chroma_location=location)
    image = PlanarImage([luma, ramp, np.full((32, 32), 128, np.float32)], form, colour)
    rgb = image.read(np.eye(3), 64)
    u = colour.rgb_to_yuv(rgb, 8)[1]
    u = u[32, 8:40] if axis else u[8:40, 32]
    np.testing.assert_allclose(u, 64 + 2 * (np.arange(8, 40) + 0.5), atol=0.01)


def test_shrinking_does_not_alias():
    """A crop at a quarter of the size shows the average of a fine checkerboard, not its phase."""
    plane = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = PlanarImage([plane], planar_format("gray"), Colour(full_range=True))
    crop = image.read(crop_matrix(0.25, 0.3, 0.6), 48)
    assert crop.std() < 0.02
    assert crop.mean() == pytest.approx(0.5, abs=0.02)


def test_beyond_the_edge_the_border_is_replicated():
    plane = np.tile(np.arange(32, dtype=np.uint8) * 8, (32, 1))
    image = PlanarImage([plane], planar_format("gray"), Colour(full_range=True))
    crop = image.read(crop_matrix(1, -10, 0), 32)[0]
    assert (crop[:, :10] == 0).all()
    image.blend(torch.ones(3, 32, 32), torch.ones(32, 32), crop_matrix(1, -10, -200))  # entirely outside
    np.testing.assert_array_equal(plane[0], np.arange(32) * 8)


def test_a_mask_is_in_the_rows_and_columns_that_hold_it():
    mask = torch.zeros(64, 64)
    mask[10:30, 5:9] = 0.1
    assert occupied(mask) == (slice(10, 30), slice(5, 9))
    assert occupied(torch.zeros(64, 64)) == (slice(0, 1), slice(0, 1))


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_rows_are_read_as_crops_are(pix_fmt):
    image = image_of(pattern(3, 48, 48, pix_fmt))
    whole = image.read(np.eye(3), 48)
    assert torch.allclose(image.read_rows(0, 48), whole, atol=1e-6)
    assert torch.allclose(image.read_rows(17, 30), whole[:, 17:30], atol=1e-6)


def test_rows_that_sdr_cannot_hold_are_told():
    frame = pattern(3, 48, 48, "yuv420p10le")
    luma, *chroma = plane_views(frame)
    luma[...] = 500
    for plane in chroma:
        plane[...] = 512
    assert image_of(frame).kept_rows(0, 48) is None
    luma[20:] = 1010  # white is 940
    kept = image_of(frame).kept_rows(10, 30)
    assert kept.shape == (20, 48)
    assert (kept[:10] == 0).all()
    assert (kept[11:] == 1).all()
