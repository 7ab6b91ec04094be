"""Encoded video has the samples, tags and shape of the input."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.support import reader
from tests.support.clips import decode
from tests.support.frames import LOSSLESS, clip, pass_through, synthetic
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


FORMATS = [
    *("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv444p12le"),
    *("gray", "gray10le", "gbrp10le", "yuva420p", "yuva444p10le", "gbrap10le", "yuv411p"),
]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_samples_range_and_matrix_are_kept(tmp_path, pix_fmt, full):
    tags = {"colorspace": 0 if pix_fmt.startswith("gb") else 6, "color_primaries": 6, "color_trc": 6}
    source = clip(
        tmp_path / "in.mkv", pix_fmt=pix_fmt, codec="ffv1", tags=tags | {"color_range": 2 if full else 1}
    )
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    given, got = reader.show(source), reader.show(out)
    assert (got.pix_fmt, got.range, got.matrix) == (given.pix_fmt, given.range, given.matrix)
    assert (got.primaries, got.transfer) == ("smpte170m", "smpte170m")
    size = (64, 48)
    assert reader.planes(out, pix_fmt, size) == reader.planes(source, pix_fmt, size)


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuv420p10le", "yuv422p10le", "yuv444p", "gray", "gbrp10le", "yuva420p"]
)
def test_a_lossless_encoder_keeps_every_sample(tmp_path, pix_fmt):
    source = clip(tmp_path / "in.mkv", pix_fmt=pix_fmt, codec="ffv1", size=(65, 47))
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert [line.digest for line in reader.frames(out)] == [line.digest for line in reader.frames(source)]


def test_colour_tags_aspect_and_rotation_are_kept(tmp_path):
    tags = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}
    source = clip(tmp_path / "in.mp4", tags=tags, rotation=90, aspect=Fraction(4, 3))
    for ending in (".mp4", ".mkv"):
        out = pass_through(source, tmp_path / f"out{ending}")
        described = reader.describe(out)
        assert "bt2020nc/bt2020/smpte2084" in described
        assert "SAR 4:3" in described
        assert "rotation of 90" in described
        assert decode(out)[0].rotation == 90


@pytest.mark.parametrize("ending", ["mp4", "mov"])
@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "50", "60", "60000/1001"])
def test_times_of_usual_rates_are_exact(tmp_path, rate, ending):
    source = synthetic(tmp_path / "in.mp4", f"testsrc2=s=64x48:r={rate}", "-frames:v", 40)
    out = pass_through(source, tmp_path / f"out.{ending}", EncoderSettings(preset="ultrafast"))
    times = [line.time for line in reader.frames(out)]
    assert times == [line.time for line in reader.frames(source)]
    assert times[-1] == 39 / Fraction(rate)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1", "libvpx-vp9", "mpeg4", "mpeg2video"])
def test_a_last_frame_that_is_shown_for_long_is_so_in_the_output(tmp_path, codec):
    plain, source = clip(tmp_path / "plain.mp4", size=(128, 96), options={"bf": "0"}), tmp_path / "in.mp4"
    with av.open(str(plain)) as given, av.open(str(source), "w") as container:
        stream = container.add_stream_from_template(given.streams.video[0])
        packets = [packet for packet in given.demux(video=0) if packet.size]
        packets[-1].duration *= 75
        for packet in packets:
            packet.stream = stream
            container.mux(packet)
    out = pass_through(source, tmp_path / "out.mp4", EncoderSettings(codec=codec))
    assert [_length(path) for path in (source, out)] == [Fraction(5 + 75, 25)] * 2
    assert [line.time for line in reader.frames(out)] == [line.time for line in reader.frames(source)]


def _length(path: Path) -> Fraction:
    with av.open(str(path)) as container:
        (stream,) = container.streams.video
        return stream.duration * stream.time_base
