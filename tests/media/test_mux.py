"""What goes in comes out: times, packets, tags and untouched samples, as an ffmpeg binary sees them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support import reader
from tests.support.clips import decode, pattern, write
from tests.support.encoders import open_writer
from vidrestore.errors import InputError, OutputError, UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.media.inspect import as_text, inspect_file
from vidrestore.media.output.destination import check_output
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


TIMINGS = {
    "25": {"rate": Fraction(25)},
    "24000/1001": {"rate": Fraction(24000, 1001)},
    "30000/1001 on a 90 kHz clock": {"rate": Fraction(30000, 1001), "time_base": Fraction(1, 90000)},
    "variable": {
        "rate": Fraction(30),
        "time_base": Fraction(1, 90000),
        "times": [0, 3003, 6000, 9999, 20000, 20001, 50000, 51000, 52000, 60000, 61000, 90000],
    },
    "first frame not at zero": {"time_base": Fraction(1, 1000), "times": [200 + 40 * i for i in range(12)]},
}


@pytest.mark.parametrize("ending", [".mp4", ".mov"])
@pytest.mark.parametrize("timing", TIMINGS.values(), ids=TIMINGS.keys())
def test_every_frame_keeps_its_time(tmp_path, timing, ending):
    source = clip(tmp_path / "in.mp4", audio=1, **timing)
    out = pass_through(source, tmp_path / f"out{ending}")
    expected = [line.time for line in reader.frames(source)]
    assert len(expected) == 12
    assert [line.time for line in reader.frames(out)] == expected


def test_matroska_keeps_times_to_its_own_millisecond(tmp_path):
    source = clip(tmp_path / "in.mp4", audio=1, rate=Fraction(30000, 1001))
    out = pass_through(source, tmp_path / "out.mkv")
    pairs = zip(reader.frames(source), reader.frames(out), strict=True)
    assert all(abs(a.time - b.time) <= Fraction(1, 1000) for a, b in pairs)


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_audio_packets_are_the_inputs(tmp_path, ending):
    source = clip(tmp_path / "in.mp4", count=40, audio=3)
    out = pass_through(source, tmp_path / f"out{ending}")
    given, got = reader.packets(source, "0:a"), reader.packets(out, "0:a")
    assert len(given) > 100
    assert [line.digest for line in sorted(given, key=lambda line: line.stream)] == [
        line.digest for line in sorted(got, key=lambda line: line.stream)
    ]
    described = reader.describe(out)
    assert all(f"({language})" in described for language in ("eng", "deu", "fra"))


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


def test_chapters_attachments_titles_and_subtitles(tmp_path, caplog):
    source = tmp_path / "in.mkv"
    subtitles = tmp_path / "in.srt"
    subtitles.write_text("1\n00:00:00,100 --> 00:00:00,400\nHello\n")
    with av.open(str(source), "w") as container, av.open(str(subtitles)) as text:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height = 64, 48
        lines = container.add_stream_from_template(text.streams.subtitles[0])
        lines.metadata["language"] = "deu"
        lines.disposition = av.stream.Disposition.forced
        container.add_attachment("font.ttf", "application/x-truetype-font", b"glyphs" * 50)
        container.metadata["title"] = "A title"
        container.set_chapters(
            [
                {
                    "id": 1,
                    "start": 0,
                    "end": 300,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": "Opening"},
                }
            ]
        )
        for packet in text.demux():
            if packet.size:
                packet.stream = lines
                container.mux(packet)
        for i in range(12):
            container.mux(video.encode(pattern(i, 64, 48, "yuv420p")))
        container.mux(video.encode(None))

    described = reader.describe(pass_through(source, tmp_path / "out.mkv"))
    for words in ("Opening", "A title", "subrip", "(deu)", "(forced)", "font.ttf"):
        assert words in described
    assert reader.packets(tmp_path / "out.mkv", "0:s") == reader.packets(source, "0:s")
    assert not caplog.records

    # What another container cannot hold is named.
    described = reader.describe(pass_through(source, tmp_path / "out.mp4"))
    assert "Opening" in described
    assert "mov_text" in described
    assert "cannot hold the input's #2 attachment: font.ttf" in caplog.text


def test_metadata_in_an_old_encoding_is_carried_over(tmp_path):
    """Latin-1 in a file that should hold UTF-8: kept byte for byte, and printable."""
    source = clip(tmp_path / "in.mkv")
    with av.open(str(source)) as given, av.open(str(tmp_path / "titled.mkv"), "w") as titled:
        stream = titled.add_stream_from_template(given.streams.video[0], opaque=True)
        stream.metadata["title"] = "Caf__ noir"
        titled.metadata["title"] = "Caf__ blanc"
        for packet in given.demux():
            if packet.size:
                packet.stream = stream
                titled.mux(packet)
    data = (tmp_path / "titled.mkv").read_bytes().replace(b"Caf__", b"Caf\xe9_")
    (tmp_path / "titled.mkv").write_bytes(data)
    as_text(inspect_file(tmp_path / "titled.mkv")).encode()
    out = pass_through(tmp_path / "titled.mkv", tmp_path / "out.mkv")
    assert out.read_bytes().count(b"Caf\xe9_") == 2


def test_a_part_begins_at_zero_and_takes_its_sound_along(tmp_path):
    source = clip(tmp_path / "in.mp4", count=100, audio=1)
    out = pass_through(source, tmp_path / "out.mp4", span=Span(Fraction(1), Fraction(3)))
    times = [line.time for line in reader.frames(out)]
    assert times == [Fraction(i, 25) for i in range(50)]
    sound = reader.packets(out, "0:a")
    assert abs(sound[0].time) < Fraction(3, 100)
    assert abs(sound[-1].time + sound[-1].duration - 2) < Fraction(3, 100)
    inside = [line.digest for line in reader.packets(source, "0:a")]
    assert {line.digest for line in sound} <= set(inside)


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


def test_an_error_leaves_nothing_behind(tmp_path):
    def interrupted(source):
        with (
            Decoder(source) as decoder,
            open_writer(decoder, tmp_path / "o.mp4", FAST) as writer,
        ):
            writer.write(decoder.first)
            assert (tmp_path / ".o.partial.mp4").exists()
            raise RuntimeError

    source = clip(tmp_path / "in.mp4")
    with pytest.raises(RuntimeError):
        interrupted(source)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_out_is_refused_before_any_work(tmp_path):
    source = clip(tmp_path / "in.mp4")
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"mine")
    for out, overwrite, error, words in (
        (taken, False, OutputError, "exists; give -y"),
        (source, True, OutputError, "the input itself"),
        (tmp_path / "no" / "out.mp4", False, OutputError, "does not exist"),
        (tmp_path / "out.txt", False, UsageError, "does not have the extension"),
        (tmp_path / "out", False, UsageError, "does not have the extension"),
    ):
        with pytest.raises(error, match=words):
            check_output(out, source, overwrite=overwrite)
    check_output(taken, source, overwrite=True)


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
