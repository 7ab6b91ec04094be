"""Two frames are compared over their pictures, whatever lies around these."""

from __future__ import annotations

import numpy as np
import pytest

from vidrestore.faces.tracking.thumbnails import SIDE, correlation, grey_thumbnail, pictures, without_light


def frame(seed: int, columns: slice = slice(None), rows: slice = slice(None)) -> np.ndarray:
    """(90, 160, 3) uint8 BGR: smooth blobs in these rows and columns, black around them."""
    rng = np.random.default_rng(seed)
    image = np.full((90, 160, 3), 16, np.uint8)
    height, width = image[rows, columns].shape[:2]
    grey = np.kron(rng.integers(40, 220, (9, 9)), np.ones((10, 18)))[:height, :width]
    image[rows, columns] = np.resize(grey, (height, width))[..., None]
    return image


BARS = {
    "none": {},
    "portrait": {"columns": slice(55, 106)},
    "2.39:1": {"rows": slice(11, 79)},
    "on all sides": {"rows": slice(20, 70), "columns": slice(35, 125)},
}


@pytest.mark.parametrize("bars", BARS.values(), ids=BARS)
def test_bars_do_not_make_pictures_alike(bars):
    one, other = (grey_thumbnail(frame(seed, **bars)) for seed in (1, 2))
    assert one.shape == (SIDE, SIDE)
    for structure in (np.asarray, without_light):
        different = correlation(*map(structure, pictures(one, other)))
        same = correlation(*map(structure, pictures(one, one)))
        assert same == pytest.approx(1, abs=1e-3)
        assert different < 0.6


def test_a_part_holds_both_pictures():
    """As where a shot in portrait follows one that fills the frame."""
    portrait, wide = (grey_thumbnail(frame(1, **BARS[name])) for name in ("portrait", "none"))
    one, other = pictures(portrait, wide)
    assert one[:, :10].max() == one[:, 30:].max() == 16
    assert other[:, :10].std() > 10


def test_a_black_frame_is_compared_whole():
    one, other = pictures(np.zeros((SIDE, SIDE), np.float32), grey_thumbnail(frame(1)))
    assert one.shape == other.shape
    assert one.max() == 0


def test_what_has_no_structure_is_not_found_everywhere():
    """A black picture with a line of text at its border, as between the scenes of a tape."""
    slate = np.full((SIDE, SIDE), 16, np.uint8)
    slate[-5:-2, 5:30:2] = 235
    scene = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE), np.uint8)
    one, other = pictures(slate, scene)
    assert correlation(one, other) == 0
    assert correlation(one, one) == 1
