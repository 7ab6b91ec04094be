"""Planar pixel formats are used as they are, all others are repacked without loss."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tests.support.clips import pattern
from vidrestore.media.frames.pixel_format import is_planar, planar_equivalent, planar_format, plane_views


@pytest.mark.parametrize(
    ("name", "bits", "planes", "subsampling"),
    [
        ("yuv420p", 8, 3, (1, 1)),
        ("yuvj420p", 8, 3, (1, 1)),
        ("yuv420p10le", 10, 3, (1, 1)),
        ("yuv422p10le", 10, 3, (1, 0)),
        ("yuv444p12le", 12, 3, (0, 0)),
        ("yuv411p", 8, 3, (2, 0)),
        ("gray", 8, 1, (0, 0)),
        ("gray10le", 10, 1, (0, 0)),
        ("gbrp", 8, 3, (0, 0)),
        ("gbrap16le", 16, 3, (0, 0)),
        ("yuva420p", 8, 3, (1, 1)),
    ],
)
def test_planar_formats(name, bits, planes, subsampling):
    fmt = planar_format(name)
    assert (fmt.bits, fmt.colour_planes, fmt.subsampling) == (bits, planes, subsampling)
    assert planar_equivalent(name) == fmt


@pytest.mark.parametrize(
    "name",
    ["nv12", "p010le", "yuyv422", "rgb24", "bgra", "pal8", "yuv420p10be", "gbrpf32le", "rgb48le", "monow"],
)
def test_other_formats_have_a_planar_equivalent(name):
    assert not is_planar(name)
    assert is_planar(planar_equivalent(name).name)


@pytest.mark.parametrize(
    "name", ["nv12", "nv16", "yuyv422", "p010le", "rgb24", "bgra", "rgb48le", "yuv420p10be"]
)
def test_repacking_loses_nothing(name):
    planar = planar_equivalent(name).name
    frame = pattern(1, 64, 48, planar)
    packed = frame.reformat(format=name)
    back = packed.reformat(format=planar)
    for before, after in zip(plane_views(frame), plane_views(back), strict=True):
        np.testing.assert_array_equal(before, after)


def test_views_share_the_memory_of_the_frame():
    frame = av.VideoFrame(51, 33, "yuv420p10le")
    views = plane_views(frame)
    assert [v.shape for v in views] == [(33, 51), (17, 26), (17, 26)]
    views[0][...] = 700
    assert (plane_views(frame)[0] == 700).all()


def test_views_of_a_packed_frame_are_an_error():
    with pytest.raises(ValueError, match="not a planar pixel format"):
        plane_views(av.VideoFrame(16, 16, "rgb24"))
