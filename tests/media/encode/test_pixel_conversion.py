"""A conversion to another pixel format shows the same colours."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import reader
from tests.support.frames import clip, pass_through
from vidrestore.media.encode.settings import EncoderSettings


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("gbrp", "yuv444p"),
        ("yuv444p", "gbrp"),
        ("gray", "yuv420p"),
        ("yuv420p10le", "yuv444p"),
    ],
)
def test_another_pixel_format_shows_the_same_colours(tmp_path, given, target, full):
    """Compared as RGB by ffmpeg's zscale or swscale, from the tags alone."""
    rgb = given == "gbrp"
    tags = {"colorspace": 0 if rgb else 1, "color_range": 2 if full or rgb else 1}
    source = clip(
        tmp_path / "in.mkv",
        pix_fmt=given,
        codec="libx265" if rgb else "ffv1",
        tags=tags,
        size=(320, 180),
        count=1,
        options={"x265-params": "lossless=1:log-level=none"} if rgb else {},
    )
    codec = "libx264rgb" if target == "gbrp" else "libx264"
    settings = EncoderSettings(codec=codec, pix_fmt="rgb24" if target == "gbrp" else target, crf=1)
    out = pass_through(source, tmp_path / "out.mkv", settings)
    assert reader.show(out).pix_fmt in (target, target.replace("yuv", "yuvj"))
    a, b = (
        np.frombuffer(reader.planes(path, "gbrp", (320, 180))[0], np.uint8).astype(int)
        for path in (source, out)
    )
    assert np.abs(a - b).mean() < 2.5
