"""Timecodes inside pictures: OUT's container keeps them, and what it cannot keep is named."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support import reader, sei
from tests.support.frames import FAST, clip, pass_through, synthetic
from vidrestore.errors import OutputError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.timecode import timecode_at
from vidrestore.media.timeline import Span

NTSC = Fraction(30000, 1001)
#: An encoder whose groups begin with frames that are shown before the one that carries the timecode.
MPEG2 = ("-c:v", "mpeg2video", "-g", "6", "-bf", "2")


def given(
    path: Path,
    first: str,
    codec: str,
    *,
    rate: Fraction = Fraction(25),
    jumps_at: int | None = None,
    count: int = 6,
) -> Path:
    """A transport stream whose frames have the timecodes from ``first`` on; an hour later from frame
    ``jumps_at`` on."""
    options = {"bf": "0", **({"x264-params": "pic-struct=1"} if codec == "libx264" else {})}
    plain = clip(path.with_suffix(".mp4"), count, (128, 96), codec=codec, rate=rate, options=options)
    message = sei.h264_timecode if codec == "libx264" else sei.hevc_timecode

    def timecode(index: int) -> tuple[int, bytes]:
        hour = 3600 if jumps_at is not None and index >= jumps_at else 0
        return message(timecode_at(index / rate + hour, first, rate))

    return sei.add_sei(plain, path, timecode)


def stated(path: Path) -> set[str]:
    """The timecodes that an ffmpeg binary prints."""
    return set(re.findall(r"timecode *: (\S+)", reader.describe(path), re.IGNORECASE))


@pytest.mark.parametrize("out", ["out.mp4", "out.mov", "out.mkv", "out.webm"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_container_keeps_those_that_count_on(tmp_path, caplog, codec, out):
    made = pass_through(given(tmp_path / "in.ts", "10:11:12:13", codec), tmp_path / out, strict=True)
    assert stated(made) == {"10:11:12:13"}
    assert "loses" not in caplog.text


@pytest.mark.parametrize(
    ("rate", "first"), [(Fraction(50), "01:00:00:31"), (2 * NTSC, "01:00:00:07"), (NTSC, "01:00:59;28")]
)
def test_every_rate_has_its_numbers(tmp_path, rate, first):
    source = given(tmp_path / "in.ts", first, "libx265", rate=rate)
    assert stated(pass_through(source, tmp_path / "out.mov", FAST, strict=True)) == {first}


def test_a_part_begins_with_its_own(tmp_path):
    source = given(tmp_path / "in.ts", "10:11:12:13", "libx264", count=12)
    made = pass_through(source, tmp_path / "out.mkv", FAST, Span(Fraction(1, 5)), strict=True)
    assert stated(made) == {"10:11:12:18"}


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_jump_is_named_once(tmp_path, caplog, codec):
    source = given(tmp_path / "in.ts", "10:11:12:13", codec, jumps_at=3)
    made = pass_through(source, tmp_path / "out.mkv", FAST)
    assert stated(made) == {"10:11:12:13"}
    named = "the video of in.ts loses its timecodes of single frames"
    assert sum(named in message for message in caplog.messages) == 1
    with pytest.raises(OutputError, match=r"--strict: .*its timecodes of single frames"):
        pass_through(source, tmp_path / "strict.mkv", FAST, strict=True)


def test_those_that_differ_from_the_containers_are_named(tmp_path, caplog):
    inside = given(tmp_path / "in.ts", "10:11:12:13", "libx264")
    for number, (first, is_lost) in enumerate((("10:11:12:13", False), ("10:11:20:00", True))):
        source = tmp_path / f"{number}.mov"
        synthetic(source, "color", "-i", inside, "-map", "1:v", "-c", "copy", "-timecode", first)
        caplog.clear()
        assert stated(pass_through(source, tmp_path / f"out{number}.mov", FAST)) == {first}
        assert ("timecodes of single frames" in caplog.text) == is_lost


@pytest.mark.parametrize("ending", [".mpg", ".ts"])
def test_groups_of_pictures(tmp_path, ending):
    """Those of MPEG-2 belong to the first frame shown of a group, not to the one that carries them."""
    source = tmp_path / f"in{ending}"
    synthetic(source, "testsrc2=s=64x64:r=25:d=2", *MPEG2, "-timecode", "01:02:03:04")
    assert stated(pass_through(source, tmp_path / "out.mov", FAST, strict=True)) == {"01:02:03:04"}
    part = pass_through(source, tmp_path / "part.mov", FAST, Span(Fraction(1)), strict=True)
    (found,) = stated(part)
    assert "01:02:04:02" <= found <= "01:02:04:06"


def test_groups_that_count_from_the_beginning_say_nothing(tmp_path):
    source = synthetic(tmp_path / "in.ts", "testsrc2=s=64x64:r=25:d=2.4", *MPEG2)
    assert stated(pass_through(source, tmp_path / "out.mov", FAST, strict=True)) == set()
    part = pass_through(source, tmp_path / "part.mov", FAST, Span(Fraction(2)), strict=True)
    assert stated(part) == set()


def test_groups_of_recordings_that_were_joined_are_named(tmp_path, caplog):
    parts = [
        synthetic(tmp_path / f"{first[:2]}.m2v", "testsrc2=s=64x64:r=25:d=0.6", *MPEG2, "-timecode", first)
        for first in ("01:00:00:00", "05:00:00:00")
    ]
    joined = tmp_path / "in.m2v"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert stated(pass_through(joined, tmp_path / "out.mov", FAST)) == {"01:00:00:00"}
    assert "loses its timecodes of groups of pictures" in caplog.text


def test_no_frame_has_one(tmp_path):
    with Decoder(clip(tmp_path / "in.mp4")) as decoder:
        assert decoder.source.timecode is None
        assert not decoder.source.side_data
