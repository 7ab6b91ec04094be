"""Planar pixel formats are used as they are, all others are repacked without loss."""

from __future__ import annotations

import re

import av
import numpy as np
import pytest

from tests.support.clips import pattern
from vidrestore.media.frames.pixel_format import (
    is_planar,
    planar_equivalent,
    planar_format,
    plane_views,
    what_planes_lack,
)


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


@pytest.mark.parametrize(
    ("packed", "planar"),
    [
        ("vuyx", "yuv444p"),
        ("vyu444", "yuv444p"),
        ("ayuv", "yuva444p"),
        ("vuya", "yuva444p"),
        ("uyva", "yuva444p"),
        ("ayuv64le", "yuva444p16le"),
        ("p212le", "yuv422p12le"),
        ("p412le", "yuv444p12le"),
        ("p416le", "yuv444p16le"),
        ("xv36le", "yuv444p12le"),
        ("xv48le", "yuv444p16le"),
        ("y216le", "yuv422p16le"),
        ("gbrp10msble", "gbrp10le"),
        ("yuv444p12msble", "yuv444p12le"),
    ],
)
def test_packed_formats_of_a_later_ffmpeg_stay_what_they_are(packed, planar):
    try:
        av.VideoFormat(packed)
    except ValueError:
        pytest.skip("this FFmpeg does not know it")
    assert planar_equivalent(packed).name == planar
    assert what_planes_lack(packed) == ""
    given = pattern(1, 64, 48, planar)
    back = given.reformat(format=packed).reformat(format=planar)
    for before, after in zip(plane_views(given), plane_views(back), strict=True):
        assert (before == after).all()


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("gbrpf32le", "floating-point samples .* read as 16 bits"),
        ("gbrapf32le", "floating-point samples .* read as 16 bits"),
        ("gray32le", "some of its gray32le data, which is read as 16 bits"),
        ("bayer_rggb16le", "its bayer_rggb16le data as it is"),
        ("xyz12le", "its xyz12le data as it is"),
        *((name, "^$") for name in ("yuv420p", "yuv420p10be", "nv12", "rgb24", "pal8", "rgb555le", "ya16be")),
    ],
)
def test_what_no_planar_format_holds_is_known(name, lacking):
    assert re.search(lacking, what_planes_lack(name))
