"""A conversion to another pixel format shows the same colours."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tests.support import reader
from tests.support.clips import decode, write
from tests.support.frames import clip, pass_through
from vidrestore.media.encode.pixel_conversion import PixelConverter
from vidrestore.media.encode.settings import EncoderConfig, EncoderSettings
from vidrestore.media.frames.colour import Colour
from vidrestore.media.frames.pixel_format import plane_views


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("gbrp", "yuv444p"),
        ("yuv444p", "gbrp"),
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


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("gray", "yuv420p"),
        ("gray", "yuv420p10le"),
        ("gray10le", "yuv420p10le"),
        ("gray10le", "yuv420p"),
        ("gray", "nv12"),
    ],
)
def test_luma_of_grey_video_is_kept(given, target, full):
    """Compared as it is stored: FFmpeg's scaler, which readers use, knows no grey of limited range."""
    bits, wanted = (10 if "10" in name else 8 for name in (given, target))
    frame = av.VideoFrame(64, 32, given)
    [luma] = plane_views(frame)
    luma[...] = (np.arange(64) * 4 << (bits - 8)).astype(luma.dtype)
    frame.color_range, frame.pts = 2 if full else 1, 7
    colour = Colour(full_range=full)
    config = EncoderConfig(codec="any", pix_fmt=target, tags={})
    converted = PixelConverter(config)(frame, colour)
    assert (converted.format.name, converted.pts, converted.color_range) == (target, 7, 2 if full else 1)
    kept = np.asarray(converted.planes[0]).view(np.uint16 if wanted > 8 else np.uint8)
    kept = kept.reshape(32, -1)[:, :64].astype(int)
    assert (kept == np.arange(64) * 4 << (wanted - 8)).all()


@pytest.mark.parametrize("given", ["gbrp", "yuv444p"])
@pytest.mark.parametrize("target", ["yuv420p", "yuv422p", "yuv420p10le", "yuva420p", "yuv411p"])
@pytest.mark.parametrize("size", [(64, 32), (63, 31)])
def test_chroma_is_made_where_readers_look_for_it(given, target, size):
    """On the left one of two luma samples. A slope across: the place of a sample is its value."""
    width, height = size
    frame = av.VideoFrame(width, height, given)
    planes = plane_views(frame)
    for plane in planes:
        plane[...] = 100
    planes[2][...] = 60 + 2 * np.arange(width)  # R, or V
    config = EncoderConfig(codec="any", pix_fmt=target, tags={"colorspace": 1})
    convert = PixelConverter(config)
    whole = PixelConverter(EncoderConfig(codec="any", pix_fmt="yuv444p", tags={"colorspace": 1}))
    expected = plane_views(whole(frame, Colour()))[2].astype(float)
    step = 4 if target == "yuv411p" else 2
    found = plane_views(convert(frame, Colour()))[2].astype(float) / (4 if "10" in target else 1)
    inside = slice(1, (width - step) // step)
    assert np.abs(found[:, inside] - expected[0, ::step][inside]).max() <= 0.75
    assert found.shape[1] == -(-width // step)


@pytest.mark.parametrize("given", ["yuvj420p", "yuv420p", "yuv422p10le", "gray", "gray10le"])
@pytest.mark.parametrize(
    ("codec", "target", "ending"),
    [
        ("prores_ks", "yuv422p10le", "mov"),
        ("mpeg2video", "yuv420p", "mkv"),
        ("v210", "yuv422p10le", "mov"),
        ("mpeg4", "yuv420p", "mov"),
        ("mpeg4", "yuv420p", "mp4"),
        ("libvpx", "yuv420p", "webm"),
    ],
)
def test_full_range_is_shown_as_such_where_only_limited_range_is_read(
    tmp_path, caplog, given, codec, target, ending
):
    """Black, white and middle grey, as a reader finds them."""
    frame = av.VideoFrame(96, 64, given)
    bits = frame.format.components[0].bits
    luma, *chroma = plane_views(frame) if given != "yuvj420p" else jpeg_planes(frame)
    luma[...] = 0
    luma[:, 32:64] = (1 << bits) - 1
    luma[:, 64:] = 1 << (bits - 1)
    for plane in chroma:
        plane[...] = 1 << (bits - 1)
    source = write(
        tmp_path / "in.mkv",
        [frame],
        codec="mjpeg" if given == "yuvj420p" else "ffv1",
        tags={"color_range": 2},
    )
    settings = EncoderSettings(codec, pix_fmt=target, options=(("b", "2M"),) if codec != "v210" else ())
    [shown] = decode(pass_through(source, tmp_path / f"out.{ending}", settings))
    assert shown.format.name == target
    assert int(shown.color_range) != 2
    step = 4 if "10" in target else 1
    middle = [plane_views(shown)[0][32, x] / step for x in (16, 48, 80)]
    assert np.abs(np.array(middle) - (16, 235, 126)).max() <= 1 + 1 / step
    assert caplog.text.count(f"is rounded: {codec} in .{ending} is always read as limited range") == 1


def jpeg_planes(frame: av.VideoFrame) -> list[np.ndarray]:
    """The planes of a frame in ``yuvj420p``."""
    planes = (np.frombuffer(plane, np.uint8).reshape(plane.height, -1) for plane in frame.planes)
    return [plane[:, : own.width] for plane, own in zip(planes, frame.planes, strict=True)]


@pytest.mark.parametrize(("codec", "ending"), [("ffv1", "mkv"), ("mpeg4", "mkv"), ("libx264", "mov")])
def test_full_range_is_kept_where_it_can_be_stated(tmp_path, caplog, codec, ending):
    source = clip(tmp_path / "in.mkv", count=1, codec="ffv1", tags={"color_range": 2})
    shown = decode(pass_through(source, tmp_path / f"out.{ending}", EncoderSettings(codec)))[0]
    assert int(shown.color_range) == 2
    assert "rounded" not in caplog.text
