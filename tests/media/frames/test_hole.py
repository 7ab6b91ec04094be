"""Holes of frames."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.runs import face_frame
from vidrestore.media.frames.colour import Colour
from vidrestore.media.frames.frame import Frame
from vidrestore.media.frames.hole import Hole
from vidrestore.media.frames.pixel_format import plane_views


def test_it_holds_the_missing_pixels():
    missing = np.zeros((13, 7), np.uint8)
    missing[3:9, 2:4] = 255
    hole = Hole.of(missing)
    assert np.array_equal(hole.missing(), missing > 0)
    assert hole.packed.nbytes == 12
    assert np.array_equal(hole.enlarged(2).missing(), np.kron(missing, np.ones((2, 2))) > 0)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p10le", "gbrp", "gray", "yuvj420p"])
def test_white_areas_are_holes_and_specks_are_not(pix_fmt):
    rgb = face_frame(64, 48, "gbrp")
    for plane in plane_views(rgb):
        plane[...] = np.minimum(plane, 230)
        plane[10:20, 30:41] = 255
        plane[40:42, 5:7] = 255
    video = rgb.reformat(format=pix_fmt, dst_colorspace=1)
    full = pix_fmt in ("gbrp", "gray", "yuvj420p")
    missing = Hole.of_white(Frame(0, video, Colour(full_range=full)).image()).missing()
    wanted = np.zeros((48, 64), bool)
    wanted[10:20, 30:41] = True
    assert np.array_equal(missing, wanted)


def test_a_crop_shows_the_hole():
    missing = np.zeros((40, 60), np.uint8)
    missing[10:20, 30:50] = 1
    shown = Hole.of(missing).read(
        np.diag([2.0, 2.0, 1.0]) @ np.array([[1, 0, -20], [0, 1, 0], [0, 0, 1]]), 40
    )
    wanted = np.zeros((40, 40), bool)
    wanted[20:40, 20:40] = True
    assert (shown & wanted).sum() == wanted.sum()
    assert shown.sum() < 1.2 * wanted.sum()
