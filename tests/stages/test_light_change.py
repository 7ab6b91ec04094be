"""Changes of light, in cells over a face."""

from __future__ import annotations

import numpy as np
import pytest

from vidrestore.media.frames.crop import Blended
from vidrestore.stages.light_change import CELLS, light_change, pack, unpack


def change_of(after: np.ndarray, *, corner=(0, 0), scale=1.0, bits=8, size=512) -> np.ndarray:
    """The change from black to ``after``, whose pixels are 1 / ``scale`` ones of the crop."""
    matrix = np.diag([scale, scale, 1.0])
    written = Blended((0, 0, 0, 0), corner, np.zeros_like(after), after)
    return light_change(written, matrix, size, bits)


@pytest.mark.parametrize(("scale", "size"), [(1, 512), (4, 512), (0.25, 512), (0.5, 256)])
def test_an_even_change_is_even_in_all_cells(scale, size):
    side = round(size / scale)
    assert change_of(np.full((side, side), 7, np.uint8), scale=scale, size=size) == pytest.approx(7, abs=1e-3)


def test_levels_are_those_of_8_bits():
    assert change_of(np.full((512, 512), 8, np.uint16), bits=10) == pytest.approx(8 * 255 / 1023)


@pytest.mark.parametrize("scale", [1, 0.2, 3])
def test_a_change_lies_where_it_is(scale):
    """The first row and the last column of cells are those of the rows 112 to 156 and columns 376 to 416."""
    side = round(512 / scale)
    after = np.zeros((side, side), np.uint8)
    after[round(112 / scale) : round(156 / scale), round(376 / scale) : round(416 / scale)] = 100
    found = change_of(after, scale=scale)
    assert found[0, -1] > 80
    assert found.sum() == pytest.approx(100, rel=0.15)


def test_what_was_written_begins_at_its_corner():
    after = np.zeros((400, 400), np.uint8)
    after[12:56, 276:316] = 100
    moved = change_of(after, corner=(100, 100))
    assert moved[0, -1] > 85
    assert moved.sum() == pytest.approx(100, rel=0.15)


def test_detail_is_no_light():
    fine = (np.indices((2048, 2048)).sum(axis=0) % 2 * 200).astype(np.uint8)
    assert change_of(fine, scale=0.25) == pytest.approx(100, abs=1)


def test_packing():
    change = np.linspace(-40, 40, CELLS * CELLS, dtype=np.float32).reshape(CELLS, CELLS)
    found = unpack(pack(change))
    inside = np.abs(change) < 31
    assert np.abs(found - change)[inside].max() <= 0.125
    assert np.abs(found).max() < 32
