"""What can be opened, and the error messages for what cannot."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from PIL import Image

from tests.support import reader, sources
from tests.support.frames import FAST, clip, pass_through, synthetic
from tests.support.platforms import posix
from vidrestore.errors import InputError, UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.probe import describe, open_input, probe

MILLISECONDS = ("-fps_mode", "vfr", "-enc_time_base", "1/1000")
ODD_NAMES = [
    "two words.mp4",
    "fílm ☃.mp4",
    "-dash.mp4",
    pytest.param("new\nline.mp4", marks=posix),
    "100%.mp4",
    pytest.param("a:b?c=d&e#f.mp4", marks=posix),
    "frame_%d.mp4",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_special_characters_in_names(tmp_path, name):
    (tmp_path / "plain.mp4").write_bytes(clip(tmp_path / "clip.mp4").read_bytes())
    (tmp_path / "plain.mp4").rename(tmp_path / name)
    out = pass_through(tmp_path / name, tmp_path / f"out {name}", FAST)
    assert len(reader.frames(out.rename(tmp_path / "read.mp4"))) == 6


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "nothing.mp4", "does not exist"),
        (lambda folder: folder, "is a folder"),
        (lambda folder: synthetic(folder / "sound.mp4", "sine=d=1"), "holds no video"),
    ],
    ids=["missing", "folder", "sound"],
)
def test_an_input_without_video_is_an_error(tmp_path, make, words):
    with pytest.raises(InputError, match=words):
        Decoder(make(tmp_path))


def test_encrypted_video_is_an_error(tmp_path):
    key = "76a6c65c5ea762046bd749a2e632ccbb"
    source = synthetic(
        tmp_path / "in.mp4",
        "testsrc2=s=64x48:r=25",
        *("-frames:v", 10, "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key),
        *("-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"),
    )
    with pytest.raises(InputError, match="is encrypted"):
        Decoder(source)


@pytest.mark.parametrize(
    "content", [b"", b"just some words\n" * 50, bytes(5000)], ids=["empty", "text", "zeros"]
)
def test_a_file_that_is_not_a_video_is_an_error(tmp_path, content):
    path = tmp_path / "in.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError):
        Decoder(path)


def test_animated_webp_is_decoded_or_named(tmp_path):
    source = synthetic(tmp_path / "in.webp", "testsrc2=s=64x48:r=10", "-frames:v", 5, "-c:v", "libwebp_anim")
    try:
        with Decoder(source) as decoder:
            assert len(list(decoder)) == 5
    except InputError as error:
        assert re.search(r"in\.webp is an animated WebP.*convert it", str(error))  # noqa: PT017


def test_webp_of_one_picture_is_read(tmp_path):
    source = synthetic(tmp_path / "in.webp", "testsrc2=s=64x48:r=10", "-frames:v", 1, "-c:v", "libwebp")
    with Decoder(source) as decoder:
        assert len(list(decoder)) == 1


def test_what_probe_reads_from_the_headers(tmp_path):
    info = probe(clip(tmp_path / "in.mp4", count=12, size=(64, 48), rate=Fraction(30000, 1001)))
    assert (info.width, info.height, info.pix_fmt) == (64, 48, "yuv420p")
    assert (info.rate, info.frames) == (Fraction(30000, 1001), 12)
    assert info.duration == pytest.approx(12 * 1001 / 30000, abs=1e-3)


def test_frames_are_estimated_where_the_container_does_not_count_them(tmp_path):
    assert probe(clip(tmp_path / "in.mkv", count=12)).frames == 12


def test_streams_described_for_people(tmp_path):
    with open_input(clip(tmp_path / "in.mkv", audio=1)) as container:
        video, audio = (str(describe(stream)) for stream in container.streams)
    assert video == "#0 video: h264, 64x48 yuv420p, 25 frames/s"
    assert audio == "#1 audio: aac, 44100 Hz, stereo, eng"


def test_a_stream_that_is_not_a_video_is_refused(tmp_path):
    path = sources.make(tmp_path / "in.mkv", sources.VIDEO, sources.AUDIO, sources.OTHER_VIDEO)
    assert probe(path, video_stream=2).width == 32
    with pytest.raises(UsageError, match=r"--video-stream 1 is not a video stream of in\.mkv; use 0 or 2"):
        probe(path, video_stream=1)


@pytest.mark.parametrize("name", ["x" * 300 + ".mp4", "nul\0.mp4"], ids=["too long", "NUL"])
def test_an_impossible_name_is_an_error(tmp_path, name):
    with pytest.raises(InputError, match="cannot be read"):
        open_input(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "arguments", "rate", "frames"),
    [
        ("pal.dv", ("testsrc2=s=720x576:r=25:d=0.2", "-pix_fmt", "yuv420p"), Fraction(25), 5),
        ("ntsc.dv", ("testsrc2=s=720x480:r=ntsc:d=0.2", "-pix_fmt", "yuv411p"), Fraction(30000, 1001), 6),
        ("ticks.avi", ("testsrc2=s=64x48:r=25:d=1,settb=1/1000", *MILLISECONDS), Fraction(25), None),
    ],
)
def test_a_rate_that_is_that_of_a_clock_is_not_believed(tmp_path, name, arguments, rate, frames):
    source = synthetic(tmp_path / name, *arguments)
    info = probe(source)
    assert info.rate == rate
    assert frames is None or info.frames == frames
    with Decoder(source) as decoder:
        assert decoder.source.rate == rate
        assert "0 frames/s" not in describe(decoder.container.streams.video[0]).details
    out = pass_through(source, tmp_path / "out.mp4", FAST)  # the timecode track of DV needs the rate
    assert [f.time for f in reader.frames(out)] == [f.time for f in reader.frames(source)]
    assert ("timecode" in reader.describe(out)) == ("timecode" in reader.describe(source))


def test_an_animated_avif_is_its_animation(tmp_path):
    pictures = [Image.new("RGB", (32, 32), (shade, 0, 0)) for shade in (0, 100, 200)]
    pictures[0].save(tmp_path / "a.avif", save_all=True, append_images=pictures[1:], duration=80)
    assert probe(tmp_path / "a.avif").frames == 3
