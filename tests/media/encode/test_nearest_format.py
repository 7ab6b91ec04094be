"""The pixel format nearest to the input, and what a conversion to it loses."""

from __future__ import annotations

import subprocess

import av
import numpy as np
import pytest

from tests.support import reader
from tests.support.frames import LOSSLESS, ffmpeg, pass_through
from vidrestore.errors import UsageError
from vidrestore.media.encode.nearest_format import check_format, is_lossy, rounds
from vidrestore.media.encode.settings import EncoderSettings


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "ending", "settings", "expected"),
    [
        ("ffv1", "yuva420p", "webm", None, "yuva420p"),
        ("ffv1", "gbrap", "mkv", LOSSLESS, "bgra"),
        ("ffv1", "yuva420p", "mov", EncoderSettings(codec="prores_ks"), "yuva444p"),
        ("png", "rgba", "mov", EncoderSettings(codec="prores_ks"), "yuva444p"),
    ],
)
def test_alpha_is_kept_if_the_codec_supports_it(tmp_path, codec, pix_fmt, ending, settings, expected):
    source = tmp_path / "in.mkv"
    ramp = "color=red:s=64x48:r=25,format=rgba,geq=r='4*X':g='5*Y':b=99:a='128+X'"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        f"{ramp},format={'bgra' if pix_fmt == 'gbrap' else pix_fmt}",
        "-frames:v",
        4,
        "-c:v",
        codec,
        source,
    )
    out = pass_through(source, tmp_path / f"out.{ending}", settings)
    # Decode with libvpx, since FFmpeg's native VP9 decoder ignores alpha.
    words = ("-c:v", "libvpx-vp9") if ending == "webm" else ()
    alpha = subprocess.run(
        [
            reader.binary(),
            "-v",
            "error",
            *words,
            "-i",
            out,
            "-vf",
            "alphaextract",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "gray",
            "-",
        ],
        capture_output=True,
        check=True,
    ).stdout
    rows = np.frombuffer(alpha, np.uint8).reshape(4, 48, 64)
    assert np.abs(rows - (128.0 + np.arange(64))).max() <= 6


@pytest.mark.parametrize(
    ("source", "target", "lossy"),
    [
        ("yuv420p", "yuv420p", False),
        ("yuv420p", "yuv444p10le", False),
        ("gray", "yuv420p", False),
        ("yuv420p10le", "yuv420p", True),
        ("yuv444p", "yuv420p", True),
        ("gbrp", "yuv444p", False),  # rounds
        ("gbrp", "yuv420p", True),
        ("yuva420p", "yuv420p", False),  # depends on the frames
        ("yuvj420p", "yuv420p", False),
    ],
)
def test_which_conversions_lose_something(source, target, lossy):
    assert is_lossy(source, target) == lossy


def test_which_conversions_round():
    assert rounds("gbrap", "yuv444p")
    assert not rounds("yuv420p", "yuv444p10le")
    assert not rounds("gray", "yuv420p")


def test_formats_that_are_rejected():
    codec = av.Codec("libx264", "w")
    assert check_format(codec, "yuv420p10le") == "yuv420p10le"
    with pytest.raises(
        UsageError, match=r"libx264 cannot write pixel format 'yuv410p'; it accepts .*yuv420p"
    ):
        check_format(codec, "yuv410p")


def test_a_name_that_does_not_exist_is_rejected_for_an_encoder_that_lists_none():
    codec = av.Codec("rawvideo", "w")
    assert check_format(codec, "yuv410p") == "yuv410p"
    with pytest.raises(UsageError, match="unknown pixel format 'nonesuch'"):
        check_format(codec, "nonesuch")
