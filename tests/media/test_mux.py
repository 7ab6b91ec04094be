"""What goes in comes out: times, packets, tags and untouched samples, as an ffmpeg binary sees them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support import reader, sources
from tests.support.clips import decode, pattern, write
from tests.support.encoders import open_writer
from tests.support.frames import pass_through_fast
from vidrestore.errors import InputError, UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.media.probe import probe
from vidrestore.media.timeline import Span

FAST = EncoderSettings(preset="ultrafast")
LOSSLESS = EncoderSettings(codec="ffv1")


def pass_through(source: Path, out: Path, settings: EncoderSettings = FAST, span: Span | None = None) -> Path:
    with (
        Decoder(source, span) as decoder,
        open_writer(decoder, out, settings) as writer,
    ):
        for frame in decoder:
            writer.write(frame)
    return out


def clip(
    path: Path, count: int = 12, size: tuple[int, int] = (64, 48), pix_fmt: str = "yuv420p", **more
) -> Path:
    return write(path, [pattern(i, *size, pix_fmt) for i in range(count)], **more)


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuv420p10le", "yuv422p10le", "yuv444p", "gray", "gbrp10le", "yuva420p"]
)
def test_lossless_output_has_the_inputs_samples(tmp_path, pix_fmt):
    source = clip(tmp_path / "in.mkv", pix_fmt=pix_fmt, codec="ffv1", size=(65, 47))
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert [line.digest for line in reader.frames(out)] == [line.digest for line in reader.frames(source)]


def test_packed_input_is_repacked_without_loss(tmp_path):
    frames = [pattern(i, 64, 48, "gbrp").reformat(format="bgr0") for i in range(5)]
    source = write(tmp_path / "in.mkv", frames, codec="ffv1")
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    same = {"pix_fmt": "gbrp"}
    assert [f.digest for f in reader.frames(out, **same)] == [f.digest for f in reader.frames(source, **same)]


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


@pytest.mark.parametrize(
    ("source", "settings", "encoder", "pix_fmt"),
    [
        ({"codec": "libx264"}, EncoderSettings(), "libx264", "yuv420p"),
        ({"codec": "libx264", "pix_fmt": "yuv420p10le"}, EncoderSettings(), "libx264", "yuv420p10le"),
        ({"codec": "libx265"}, EncoderSettings(), "libx265", "yuv420p"),
        ({"codec": "mpeg4"}, EncoderSettings(), "libx264", "yuv420p"),
        ({"codec": "libx264"}, EncoderSettings(codec="libx265", crf=30), "libx265", "yuv420p"),
        ({"codec": "libx264"}, EncoderSettings(pix_fmt="yuv444p"), "libx264", "yuv444p"),
        # What 4:2:0 cannot divide goes to 4:4:4 rather than to another size.
        ({"codec": "ffv1", "size": (63, 47)}, EncoderSettings(codec="libx264"), "libx264", "yuv444p"),
    ],
)
def test_the_encoder_follows_the_input(tmp_path, source, settings, encoder, pix_fmt):
    given = clip(tmp_path / "in.mkv", **source)
    out = tmp_path / "out.mkv"
    with (
        Decoder(given) as decoder,
        open_writer(decoder, out, settings) as writer,
    ):
        assert (writer.encoder.codec, writer.encoder.pix_fmt) == (encoder, pix_fmt)
        for frame in decoder:
            writer.write(frame)
    info = probe(out)
    assert (info.width, info.height) == source.get("size", (64, 48))
    assert len(decode(out)) == 12


@pytest.mark.parametrize(
    ("settings", "ending", "words"),
    [
        (EncoderSettings(codec="nonesuch"), ".mp4", "unknown encoder 'nonesuch'"),
        (EncoderSettings(codec="aac"), ".mp4", "not video"),
        (EncoderSettings(codec="libx264"), ".webm", "cannot hold libx264"),
        (EncoderSettings(codec="ffv1", crf=20), ".mkv", "has no --crf"),
        (EncoderSettings(pix_fmt="yuv410p"), ".mp4", "cannot write pixel format"),
        (EncoderSettings(preset="warp9"), ".mp4", "has no preset"),
        (EncoderSettings(options=(("foo", "1"),)), ".mp4", "has no option .foo."),
        (EncoderSettings(options=(("bf", "2"), ("g", "x"))), ".mp4", "rejects g .x."),
    ],
)
def test_what_the_encoder_refuses_is_said_before_any_work(tmp_path, settings, ending, words):
    source = clip(tmp_path / "in.mp4")
    with Decoder(source) as decoder, pytest.raises(UsageError, match=words):
        open_writer(decoder, tmp_path / f"out{ending}", settings)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_damage_in_the_middle_costs_only_what_it_hit(tmp_path, caplog):
    source = clip(tmp_path / "in.mkv", count=50, size=(320, 240), options={"g": "5", "bf": "0"})
    damaged = bytearray(source.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 400] = bytes(400)
    source.write_bytes(damaged)
    with Decoder(source) as decoder:
        assert 35 <= sum(1 for _ in decoder) <= 50


def test_a_stream_cut_short_is_decoded_as_far_as_it_goes(tmp_path, caplog):
    whole = clip(tmp_path / "whole.mp4", count=50, size=(320, 240), options={"movflags": "+faststart"})
    short = tmp_path / "short.mp4"
    with av.open(str(whole)) as a, av.open(str(short), "w", options={"movflags": "+faststart"}) as b:
        stream = b.add_stream_from_template(a.streams.video[0], opaque=True)
        for packet in a.demux():
            if packet.size:
                packet.stream = stream
                b.mux(packet)
    data = short.read_bytes()
    short.write_bytes(data[: len(data) * 2 // 3])
    with Decoder(short) as decoder:
        count = sum(1 for _ in decoder)
    assert 5 < count < 50
    assert f"{count} of 50 frames could be read" in caplog.text


@pytest.mark.parametrize(
    "content", [b"", b"just some words\n" * 50, bytes(5000)], ids=["empty", "text", "zeros"]
)
def test_what_is_no_video_is_said_so(tmp_path, content):
    path = tmp_path / "in.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError):
        Decoder(path)


def test_a_video_stream_that_is_none_is_refused(tmp_path):
    source = sources.make(tmp_path / "in.mkv", sources.VIDEO, sources.SOUND, sources.OTHER_VIDEO)
    with pytest.raises(UsageError, match=r"--video-stream 1 is not a video stream of in\.mkv; use 0 or 2"):
        pass_through_fast(source, tmp_path / "out.mkv", video_stream=1)
