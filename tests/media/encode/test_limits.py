"""Where an encoder does not take a size or rate, another one is chosen, or the limit is named."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from tests.support import reader
from tests.support.frames import clip, pass_through
from vidrestore.errors import UsageError
from vidrestore.media.containers import CONTAINERS
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.choose import choose_encoder
from vidrestore.media.encode.limits import broken_limit
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.encode.validate import check_encoder


@pytest.fixture
def source(tmp_path):
    with Decoder(clip(tmp_path / "in.mkv")) as decoder:
        return decoder.source


@pytest.mark.parametrize(
    ("codec", "facts", "container", "encoder"),
    [
        ("av1", {"rate": Fraction(300)}, "mp4", "libx264"),
        ("av1", {"rate": Fraction(240)}, "mp4", "libsvtav1"),
        ("av1", {"rate": Fraction(1000)}, "webm", "libvpx-vp9"),
        ("av1", {"rate": Fraction(300), "pix_fmt": "yuv420p10le"}, "mp4", "libx265"),
        ("hevc", {"width": 14, "height": 64}, "mkv", "libx264"),
        ("hevc", {"width": 16, "height": 16}, "mkv", "libx265"),
        ("h264", {"width": 16386, "height": 64}, "mkv", "libx265"),
        ("av1", {"width": 64, "height": 8706}, "mkv", "libx264"),
    ],
)
def test_another_encoder_is_chosen(source, codec, facts, container, encoder):
    container = {"mkv": "matroska"}.get(container, container)
    given = replace(source, codec=codec, **facts)
    config = choose_encoder(given, CONTAINERS[container], EncoderSettings())
    assert config.codec == encoder
    check_encoder(config, (given.width, given.height), given.rate, requested=())


@pytest.mark.parametrize(
    ("encoder", "facts", "words"),
    [
        ("libsvtav1", {"rate": Fraction(300)}, "at most 240 frames per second, and the video has 300"),
        ("libsvtav1", {"height": 8706}, "at most 16384x8704 pixels, and the video is 64x8706"),
        ("libx265", {"width": 14}, "at least 16x16 pixels, and the video is 14x48"),
        ("libx264", {"width": 16386}, "at most 16384x16384 pixels"),
        ("mpeg4", {"rate": Fraction(100000)}, "rejects 64x48 yuv420p video with 100000 frames per second"),
    ],
)
def test_the_limit_of_a_requested_encoder_is_named(source, encoder, facts, words):
    with pytest.raises(UsageError, match=words):
        choose_encoder(replace(source, **facts), CONTAINERS["matroska"], EncoderSettings(encoder))


@pytest.mark.parametrize(("encoder", "size"), [("libx265", (16, 16)), ("libsvtav1", (4, 4))])
def test_the_smallest_pictures_are_encoded(tmp_path, encoder, size):
    given = clip(tmp_path / "in.mkv", size=size, codec="ffv1")
    out = pass_through(given, tmp_path / "out.mkv", EncoderSettings(encoder))
    assert len(reader.frames(out)) == 6


def test_an_encoder_without_limits(source):
    assert broken_limit("ffv1", replace(source, rate=Fraction(10000), width=2, height=2)) is None
