"""What an encoder rejects is found out by opening it on trial."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import pytest

from tests.support.encoders import open_writer
from tests.support.frames import clip
from vidrestore.errors import UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderConfig, EncoderSettings
from vidrestore.media.encode.validate import check_encoder


def test_missing_hardware_is_one_sentence(tmp_path):
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


X264 = EncoderConfig("libx264", "yuv420p", {"crf": "16", "preset": "medium"})


def test_what_the_encoder_accepts_passes():
    check_encoder(X264, (64, 48), Fraction(25), requested=())


@pytest.mark.parametrize(
    ("options", "size", "message"),
    [
        ({"preset": "warp9"}, (64, 48), "libx264 has no preset 'warp9'; use one of ultrafast, "),
        (
            {"foo": "1"},
            (64, 48),
            "encoder libx264 has no option 'foo'; `ffmpeg -h encoder=libx264` lists them",
        ),
        ({"g": "x"}, (64, 48), "encoder libx264 rejects g 'x'; use another value"),
        ({}, (63, 48), "encoder libx264 rejects 63x48 yuv420p video"),
    ],
)
def test_an_error_names_what_is_rejected(options, size, message):
    config = replace(X264, options=X264.options | options)
    with pytest.raises(UsageError, match=message):
        check_encoder(config, size, Fraction(25), requested=tuple(options))
