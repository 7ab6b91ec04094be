"""Encoders that are asked for, their options, and what they say to those that they lack."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from tests.support import reader
from tests.support.encoders import open_writer
from tests.support.frames import clip, pass_through
from vidrestore.errors import UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderSettings


@pytest.mark.parametrize(
    ("settings", "ending", "codec"),
    [
        (EncoderSettings(codec="prores_ks"), "mov", "prores (HQ)"),
        (EncoderSettings(codec="prores_ks", pix_fmt="yuv444p10le"), "mov", "prores (4444)"),
        (EncoderSettings(codec="ffv1"), "mkv", "ffv1"),
        (
            EncoderSettings(codec="libx264", options=(("x264-params", "keyint=2"), ("profile", "high"))),
            "mp4",
            "High",
        ),
        (EncoderSettings(codec="libx265", options=(("x265-params", "keyint=2"),)), "mp4", "hevc"),
        (EncoderSettings(codec="libvpx-vp9", crf=40), "webm", "vp9"),
        (EncoderSettings(codec="libsvtav1", preset="12"), "mp4", "av1"),
    ],
)
def test_encoders_and_their_options(tmp_path, settings, ending, codec):
    source = clip(tmp_path / "in.mp4", size=(128, 96))
    out = pass_through(source, tmp_path / f"out.{ending}", settings)
    assert codec in reader.describe(out)
    assert len(reader.frames(out)) == 6
    if any("keyint" in value for _, value in settings.options):
        with av.open(str(out)) as container:
            assert [p.is_keyframe for p in container.demux(video=0) if p.size].count(True) == 3


def test_hardware_that_is_missing_is_said_in_one_sentence(tmp_path):
    source = clip(tmp_path / "in.mp4", size=(256, 256))
    context = av.CodecContext.create("h264_nvenc", "w")
    context.width, context.height, context.pix_fmt = 256, 256, "yuv420p"
    context.time_base = Fraction(1, 25)
    try:
        context.open()
    except av.error.FFmpegError:
        pass
    else:
        pytest.skip("it is not missing")
    with Decoder(source) as decoder, pytest.raises(UsageError, match="cannot be used on this machine"):
        open_writer(decoder, tmp_path / "out.mp4", EncoderSettings(codec="h264_nvenc"))
    assert list(tmp_path.iterdir()) == [source]
