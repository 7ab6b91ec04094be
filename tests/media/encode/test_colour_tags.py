"""Colour tags are those of the input, except where they would be wrong."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tests.support import reader
from tests.support.clips import decode
from tests.support.frames import LOSSLESS, clip, pass_through
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.frames.pixel_format import plane_views

HDR10 = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}


@pytest.mark.parametrize(
    ("size", "matrix"), [((64, 48), "smpte170m"), ((1280, 720), "bt709"), ((720, 576), "smpte170m")]
)
def test_a_guessed_matrix_is_tagged(tmp_path, size, matrix):
    source = clip(tmp_path / "in.mkv", count=1, size=size)
    assert reader.show(source).matrix == "unknown"
    assert reader.show(pass_through(source, tmp_path / "out.mp4")).matrix == matrix


def test_tags_of_hlg_are_kept(tmp_path):
    tags = HDR10 | {"color_trc": 18}
    source = clip(tmp_path / "in.mkv", pix_fmt="yuv420p10le", codec="ffv1", tags=tags)
    for settings in (LOSSLESS, EncoderSettings(codec="libx265", preset="ultrafast")):
        shown = reader.show(pass_through(source, tmp_path / "out.mkv", settings))
        assert (shown.pix_fmt, shown.transfer, shown.primaries) == ("yuv420p10le", "arib-std-b67", "bt2020")


@pytest.mark.skipif(not hasattr(av.VideoFrame, "chroma_location"), reason="PyAV does not tell")
@pytest.mark.parametrize("place", ["left", "center", "topleft"])
def test_the_chroma_location_is_kept(tmp_path, place):
    number = {"left": 0, "center": 1, "topleft": 2}[place]
    source = clip(tmp_path / "in.mp4", options={"x264-params": f"chromaloc={number}"})
    assert reader.show(source).chroma == place
    assert reader.show(pass_through(source, tmp_path / "out.mp4")).chroma == place


@pytest.mark.parametrize(("pix_fmt", "codec"), [("yuvj420p", "libx264"), ("yuv420p", "libx264")])
def test_the_range_is_kept(tmp_path, pix_fmt, codec):
    source = clip(
        tmp_path / "in.mp4", pix_fmt=pix_fmt, codec=codec, tags={"color_range": 2}, options={"qp": "0"}
    )
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert decode(out)[0].color_range == 2
    for a, b in zip(decode(source), decode(out), strict=True):
        for before, after in zip(plane_views(a), plane_views(b), strict=True):
            np.testing.assert_array_equal(before, after)
