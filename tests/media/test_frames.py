"""Frames come out as they came in: times, formats, colours, light, fields, alpha, as ffmpeg reads them."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests import reader
from tests.clips import pattern, write
from vidrestore.errors import InputError, UsageError
from vidrestore.media.decode import Decoder
from vidrestore.media.encode import EncoderSettings
from vidrestore.media.pixels import planar_format, plane_views
from vidrestore.media.timeline import Span
from vidrestore.media.writer import Writer

LOSSLESS = EncoderSettings(codec="ffv1")
X264 = {
    "x264-params": "mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    ":cll=1000,400"
}
HDR10 = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}


def ffmpeg(*words: object) -> None:
    subprocess.run([reader.binary(), "-v", "error", "-y", *map(str, words)], check=True, timeout=60)


def synthetic(out: Path, source: str, *words: object) -> Path:
    ffmpeg("-f", "lavfi", "-i", source, *words, out)
    return out


def pass_through(
    source: Path, out: Path, settings: EncoderSettings | None = None, span: Span | None = None, **more
) -> Path:
    settings = settings or EncoderSettings()
    with Decoder(source, span, **more) as decoder, Writer(out, decoder, settings) as writer:
        for frame in decoder:
            writer.write(frame)
    return out


def clip(path: Path, count=6, size=(64, 48), pix_fmt="yuv420p", **more) -> Path:
    return write(path, [pattern(i, *size, pix_fmt) for i in range(count)], **more)


# Times


@pytest.mark.parametrize("ending", ["mp4", "mov"])
@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "50", "60", "60000/1001"])
def test_times_of_usual_rates_are_exact(tmp_path, rate, ending):
    source = synthetic(tmp_path / "in.mp4", f"testsrc2=s=64x48:r={rate}", "-frames:v", 40)
    out = pass_through(source, tmp_path / f"out.{ending}", EncoderSettings(preset="ultrafast"))
    times = [line.time for line in reader.frames(out)]
    assert times == [line.time for line in reader.frames(source)]
    assert times[-1] == 39 / Fraction(rate)


@pytest.mark.parametrize(
    "container", ["avi", "ts", "mpg", "flv", "wmv", "mkv", "webm", "y4m", "gif", "nut", "h264"]
)
def test_every_container_gives_all_its_frames_at_their_times(tmp_path, container):
    codecs = {"wmv": ("-c:v", "wmv2"), "webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime"), "mpg": ()}
    words = codecs.get(container, ())
    source = synthetic(tmp_path / f"in.{container}", "testsrc2=s=64x48:r=25", "-frames:v", 30, *words)
    out = pass_through(source, tmp_path / "out.mov", EncoderSettings(codec="libx264", preset="ultrafast"))
    given, got = reader.frames(source), reader.frames(out)
    assert len(got) == len(given) == 30
    if container not in ("h264",):  # whose frames have no times
        assert [line.time for line in got] == [line.time for line in given]
    else:
        assert [line.time for line in got] == [got[0].time + Fraction(i, 25) for i in range(30)]


def test_b_frames_in_avi_come_out_in_order(tmp_path):
    """AVI has no times of presentation."""
    source = synthetic(
        tmp_path / "in.avi", "testsrc2=s=64x48:r=25", "-frames:v", 30, "-c:v", "libx264", "-bf", 3
    )
    out = pass_through(source, tmp_path / "out.mov", EncoderSettings(crf=0, preset="ultrafast"))
    times = [line.time for line in reader.frames(out)]
    assert len(times) == 30
    assert times == [times[0] + Fraction(i, 25) for i in range(30)]
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]


def test_audio_that_begins_before_the_video_does_so_still(tmp_path):
    source = tmp_path / "in.mkv"
    ffmpeg(
        *("-f", "lavfi", "-itsoffset", "0.5", "-i", "testsrc2=s=64x48:r=25:d=1"),
        *("-f", "lavfi", "-i", "sine=d=1.5", "-c:a", "aac", "-c:v", "libx264", source),
    )
    for ending in ("mp4", "mkv"):
        out = pass_through(source, tmp_path / f"out.{ending}")
        given, got = ([f.time for f in reader.frames(path)] for path in (source, out))
        assert got == given
        assert got[0] >= Fraction(1, 2)
        assert abs(reader.packets(out, "0:a")[0].time - reader.packets(source, "0:a")[0].time) < Fraction(
            1, 1000
        )


def test_frames_of_one_time_are_spread(tmp_path, caplog):
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.time_base = 64, 48, Fraction(1, 1000)
        stream.codec_context.time_base = Fraction(1, 1000)
        # Packets that are told other times than their frames'.
        for i, time in enumerate([0, 40, 40, 40, 160, 200]):
            frame = pattern(i, 64, 48, "yuv420p")
            frame.pts, frame.time_base = 40 * i, Fraction(1, 1000)
            for packet in stream.encode(frame):
                packet.pts = packet.dts = time
                container.mux(packet)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    times = [line.time for line in reader.frames(out)]
    assert times == [Fraction(ms, 1000) for ms in (0, 40, 80, 120, 160, 200)]
    assert "2 frames had no timestamp of their own" in caplog.text


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "libx264"), ("mkv", "libx265"), ("ts", "libx264"), ("avi", "mpeg4"), ("y4m", None)],
)
def test_a_part_has_the_frames_of_its_time(tmp_path, container, codec):
    words = ("-c:v", codec, "-bf", "0") if codec else ()
    source = synthetic(tmp_path / f"in.{container}", "testsrc2=s=64x48:r=25", "-frames:v", 60, *words)
    span = Span(Fraction(1), Fraction(2))
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, span)
    whole = reader.frames(source)
    wanted = [f for f in whole if whole[0].time + 1 <= f.time < whole[0].time + 2]
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in wanted]
    assert reader.frames(out)[0].time == 0


# Pictures

FORMATS = [
    *("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv444p12le"),
    *("gray", "gray10le", "gbrp10le", "yuva420p", "yuva444p10le", "gbrap10le", "yuv411p"),
]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_samples_range_and_matrix_stay(tmp_path, pix_fmt, full):
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
    ("size", "matrix"), [((64, 48), "smpte170m"), ((1280, 720), "bt709"), ((720, 576), "smpte170m")]
)
def test_an_untagged_matrix_is_written_as_it_was_taken(tmp_path, size, matrix):
    source = clip(tmp_path / "in.mkv", count=1, size=size)
    assert reader.show(source).matrix == "unknown"
    assert reader.show(pass_through(source, tmp_path / "out.mp4")).matrix == matrix


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
def test_another_pixel_format_shows_the_same_picture(tmp_path, given, target, full):
    """Compared as RGB by ffmpeg's zscale or swscale, from the tags alone."""
    rgb = given == "gbrp"
    tags = {"colorspace": 0 if rgb else 1, "color_range": 2 if full or rgb else 1}
    source = clip(
        tmp_path / "in.mkv",
        pix_fmt=given,
        codec="libx265" if rgb else "ffv1",
        tags=tags,
        size=(1280, 720),
        count=1,
        options={"x265-params": "lossless=1:log-level=none"} if rgb else {},
    )
    codec = "libx264rgb" if target == "gbrp" else "libx264"
    settings = EncoderSettings(codec=codec, pix_fmt="rgb24" if target == "gbrp" else target, crf=1)
    out = pass_through(source, tmp_path / "out.mkv", settings)
    assert reader.show(out).pix_fmt in (target, target.replace("yuv", "yuvj"))
    a, b = (
        np.frombuffer(reader.planes(path, "gbrp", (1280, 720))[0], np.uint8).astype(int)
        for path in (source, out)
    )
    assert np.abs(a - b).mean() < 2.5


HDR_OUTPUTS = [
    ("libx264", "mp4", "libx264"),
    ("libx264", "mkv", "libx265"),
    ("libx264", "mp4", "libx265"),
    ("libx264", "webm", "libsvtav1"),
]


@pytest.mark.parametrize(("codec", "ending", "encoder"), HDR_OUTPUTS)
def test_hdr10_comes_out_as_hdr10(tmp_path, codec, ending, encoder):
    source = clip(
        tmp_path / "in.mkv", size=(128, 96), pix_fmt="yuv420p10le", codec=codec, tags=HDR10, options=X264
    )
    before = reader.show(source)
    assert any("MaxCLL=1000, MaxFALL=400" in text for text in before.side_data)
    settings = EncoderSettings(codec=encoder, preset="10" if encoder == "libsvtav1" else "ultrafast")
    after = reader.show(pass_through(source, tmp_path / f"out.{ending}", settings))
    assert (after.pix_fmt, after.matrix, after.primaries, after.transfer) == (
        *("yuv420p10le", "bt2020nc", "bt2020", "smpte2084"),
    )
    for kind in ("Mastering display metadata", "Content light level"):
        (given,), (got,) = ([t for t in s.side_data if t.startswith(kind)] for s in (before, after))
        # AV1 has luminance in binary fractions.
        assert got.replace("min_luminance=0.000122", "min_luminance=0.000100") == given


def test_hlg_and_its_tags_stay(tmp_path):
    tags = HDR10 | {"color_trc": 18}
    source = clip(tmp_path / "in.mkv", pix_fmt="yuv420p10le", codec="ffv1", tags=tags)
    for settings in (LOSSLESS, EncoderSettings(codec="libx265", preset="ultrafast")):
        shown = reader.show(pass_through(source, tmp_path / "out.mkv", settings))
        assert (shown.pix_fmt, shown.transfer, shown.primaries) == ("yuv420p10le", "arib-std-b67", "bt2020")


@pytest.mark.skipif(not hasattr(av.VideoFrame, "chroma_location"), reason="PyAV does not tell")
@pytest.mark.parametrize("place", ["left", "center", "topleft"])
def test_chroma_lies_where_it_lay(tmp_path, place):
    number = {"left": 0, "center": 1, "topleft": 2}[place]
    source = clip(tmp_path / "in.mp4", options={"x264-params": f"chromaloc={number}"})
    assert reader.show(source).chroma == place
    assert reader.show(pass_through(source, tmp_path / "out.mp4")).chroma == place


def test_ten_bits_stay_ten_bits(tmp_path):
    """Where the family's encoder has only 8, another's takes its place."""
    source = synthetic(
        tmp_path / "in.webm", "testsrc2=s=64x48:r=25,format=yuv420p10le", "-frames:v", 4, "-c:v", "libvpx-vp9"
    )
    for ending in ("webm", "mkv", "mp4"):
        assert reader.show(pass_through(source, tmp_path / f"out.{ending}")).pix_fmt == "yuv420p10le"


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "ending", "settings", "expected"),
    [
        ("ffv1", "yuva420p", "webm", None, "yuva420p"),
        ("ffv1", "gbrap", "mkv", LOSSLESS, "bgra"),
        ("ffv1", "yuva420p", "mov", EncoderSettings(codec="prores_ks"), "yuva444p"),
        ("png", "rgba", "mov", EncoderSettings(codec="prores_ks"), "yuva444p"),
    ],
)
def test_alpha_stays_where_the_codec_can(tmp_path, codec, pix_fmt, ending, settings, expected):
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
    # Read by libvpx, since FFmpeg's own VP9 decoder does not see alpha.
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


def test_alpha_of_vp9_is_read(tmp_path):
    ramp = "color=red:s=64x48:r=25,format=yuva420p,geq=lum=128:cb=99:cr=150:a='128+X'"
    source = synthetic(tmp_path / "in.webm", ramp, "-frames:v", 4, "-c:v", "libvpx-vp9", "-auto-alt-ref", 0)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert reader.show(out).pix_fmt == "yuva420p"
    alpha = np.frombuffer(reader.planes(out, "yuva420p", (64, 48))[0], np.uint8)[-64 * 48 :].reshape(48, 64)
    assert np.abs(alpha - (128.0 + np.arange(64))).max() <= 4


# Fields


def interlaced(path: Path, order: str, *, flagged: bool) -> Path:
    """A moving picture whose fields are a 50th of a second apart."""
    weave = "interleave_top" if order == "tff" else "interleave_bottom"
    field = order if flagged else "prog"
    coded = ("-flags", "+ildct+ilme") if flagged else ()
    return synthetic(
        path,
        f"testsrc2=s=352x288:r=50,scale=720:576,tinterlace={weave},setfield={field}",
        *("-frames:v", 30, "-c:v", "libx264", "-crf", 10, *coded),
    )


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize("flagged", [True, False])
def test_interlaced_video_comes_out_progressive_frame_for_frame(tmp_path, order, flagged):
    source = interlaced(tmp_path / "in.mp4", order, flagged=flagged)
    with Decoder(source, deinterlace="auto") as decoder:
        assert decoder.scan.flagged == flagged
        assert decoder.scan.measured == (None if flagged else order)
    out = pass_through(
        source, tmp_path / "out.mp4", EncoderSettings(crf=1, preset="ultrafast"), deinterlace="auto"
    )
    assert [f.time for f in reader.frames(out)] == [f.time for f in reader.frames(source)]
    assert reader.show(out).field == "P"
    assert combed(out) < combed(source) / 4
    # What has been deinterlaced is not taken for interlaced again.
    with Decoder(out, deinterlace="auto") as decoder:
        assert not decoder.scan.interlaced


def combed(path: Path) -> float:
    """How much of the picture's change from line to line goes to and fro."""
    y = (
        np.frombuffer(reader.planes(path, "yuv420p", (720, 576))[12], np.uint8)[: 720 * 576]
        .reshape(576, 720)
        .astype(int)
    )
    to, fro = y[1:-1] - y[:-2], y[2:] - y[1:-1]
    return float((to * fro < -100).mean())


def test_interlaced_video_stays_so_where_it_is_left_off(tmp_path):
    source = interlaced(tmp_path / "in.mp4", "tff", flagged=True)
    settings = EncoderSettings(crf=0, preset="ultrafast")
    out = pass_through(source, tmp_path / "out.mp4", settings)
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]
    assert reader.show(out).field == reader.show(source).field == "T"
    assert "top first" in reader.describe(out) or "top coded first" in reader.describe(out)


def test_progressive_video_is_left_alone(tmp_path):
    source = synthetic(tmp_path / "in.mp4", "mandelbrot=s=720x576:r=25", "-frames:v", 30)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, deinterlace="auto")
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]


def test_a_part_of_an_interlaced_video_is_as_in_the_whole(tmp_path):
    source = interlaced(tmp_path / "in.mp4", "tff", flagged=True)
    whole = reader.frames(pass_through(source, tmp_path / "whole.mkv", LOSSLESS, deinterlace="auto"))
    span = Span(Fraction(2, 5), Fraction(4, 5))
    part = reader.frames(pass_through(source, tmp_path / "part.mkv", LOSSLESS, span, deinterlace="auto"))
    assert [f.digest for f in part] == [f.digest for f in whole[10:20]]


# Encoders


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
    with Decoder(source) as decoder:
        try:
            Writer(tmp_path / "out.mp4", decoder, EncoderSettings(codec="h264_nvenc")).__exit__(None)
        except UsageError as error:
            assert "h264_nvenc cannot be used on this machine" in str(error)
            assert not (tmp_path / "out.mp4").exists()


# Other inputs


def numbered(folder: Path, first: int, count: int) -> Path:
    synthetic(folder / "f_%04d.png", "mandelbrot=s=64x48:r=25", "-frames:v", count, "-start_number", first)
    return folder / "f_%04d.png"


def test_numbered_pictures_are_a_video(tmp_path):
    source = numbered(tmp_path, 117, 5)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, rate=Fraction(50))
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 50) for i in range(5)]
    assert len({f.digest for f in reader.frames(out)}) == 5


def test_a_picture_that_is_missing_ends_the_sequence(tmp_path, caplog):
    source = numbered(tmp_path, 0, 6)
    (tmp_path / "f_0003.png").unlink()
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 25) for i in range(3)]
    assert "3 of 5 frames could be read" in caplog.text


def test_sequences_that_are_none_and_rates_that_are_not_asked_for(tmp_path):
    with pytest.raises(InputError, match="no picture is named like"):
        Decoder(tmp_path / "g_%03d.png")
    with pytest.raises(UsageError, match="has its own times"):
        Decoder(clip(tmp_path / "in.mp4"), rate=Fraction(30))


def test_a_video_that_changes_its_size_keeps_its_first(tmp_path, caplog):
    parts = [
        synthetic(tmp_path / f"{n}.ts", f"testsrc2=s={s}:r=25", "-frames:v", 10)
        for n, s in enumerate(("64x48", "96x80"))
    ]
    source = tmp_path / "in.ts"
    ffmpeg("-i", f"concat:{parts[0]}|{parts[1]}", "-c", "copy", source)
    out = pass_through(source, tmp_path / "out.mp4")
    frames = reader.frames(out)
    assert [f.time for f in frames] == [f.time for f in reader.frames(source)]
    assert "64x48" in reader.describe(out)
    assert "10 frames were scaled to the size of the first" in caplog.text
    assert caplog.text.count("WARNING") == 1


def test_encrypted_video_is_said_so(tmp_path):
    key = "76a6c65c5ea762046bd749a2e632ccbb"
    source = synthetic(
        tmp_path / "in.mp4",
        "testsrc2=s=64x48:r=25",
        *("-frames:v", 10, "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key),
        *("-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"),
    )
    with pytest.raises(InputError, match="is encrypted"):
        Decoder(source)


def test_with_strict_damage_is_an_error(tmp_path):
    source = clip(tmp_path / "in.mkv", count=50, size=(320, 240), options={"g": "5", "bf": "0"})
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    source.write_bytes(data)
    out = tmp_path / "out.mp4"
    with pytest.raises(InputError, match="without --strict"):
        pass_through(source, out, strict=True)
    assert not out.exists()
    pass_through(source, out)
    assert len(reader.frames(out)) >= 35


def test_formats_have_the_depth_they_say():
    for name in FORMATS:
        frame = pattern(0, 64, 48, name)
        assert max(int(plane.max()) for plane in plane_views(frame)) >> (planar_format(name).bits - 1) == 1
