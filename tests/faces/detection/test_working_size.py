"""The working size of frames, and the thumbnails that a detector is given."""

from __future__ import annotations

import numpy as np
import pytest

from vidrestore.faces.detection.working_size import LONGEST_SIDE, DetectorInput, working_size


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 360), (640, 360)),
        ((512, 512), (512, 512)),
        ((1280, 720), (960, 540)),
        ((1920, 1080), (960, 540)),
        ((1080, 1920), (540, 960)),
        ((3840, 2160), (960, 540)),
        ((128, 128), (320, 320)),
        ((64, 48), (427, 320)),
        ((320, 240), (427, 320)),
        ((1000, 100), (960, 96)),
        ((5000, 2), (960, 1)),
        ((2, 2), (320, 320)),
    ],
)
def test_working_size(size, expected):
    assert working_size(*size) == expected
    assert max(expected) <= LONGEST_SIDE


def test_frames_are_paired_with_thumbnails_of_the_working_size():
    made = []

    def thumbnails(width, height):
        made.append((width, height))
        return lambda frame: np.full((height, width, 3), frame, np.uint8)

    pictures = DetectorInput((1920, 1080), thumbnails)
    pairs = list(pictures.pairs([3, 7]))
    assert made == [pictures.size] == [(960, 540)]
    assert pictures.scale == (2.0, 2.0)
    assert [frame for frame, _ in pairs] == [3, 7]
    assert [(image.shape, image[0, 0, 0]) for _, image in pairs] == [((540, 960, 3), 3), ((540, 960, 3), 7)]


def test_thumbnails_of_anamorphic_frames_have_square_pixels():
    pictures = DetectorInput((720, 576), lambda width, height: lambda frame: frame, 64 / 45)
    assert pictures.size == (960, 540)  # of 1024 x 576
    assert pictures.scale == (720 / 960, 576 / 540)
    assert DetectorInput((576, 720), lambda width, height: lambda frame: frame, 45 / 64).size == (405, 720)


def test_scale_may_differ_by_axis():
    """Working sizes are whole pixels, so the two axes are scaled by slightly different factors."""
    pictures = DetectorInput((64, 48), lambda width, height: lambda frame: np.empty((height, width, 3)))
    assert pictures.scale == (64 / 427, 48 / 320)
