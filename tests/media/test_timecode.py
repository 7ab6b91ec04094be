"""Timecodes are those of the first frame of a part."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import pytest

from tests.support import reader, sources
from tests.support.frames import pass_through_fast, synthetic
from vidrestore.errors import OutputError
from vidrestore.media.containers import MP4
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.remux.stream_plan import refuse_losses
from vidrestore.media.timecode import frames_between, is_writable, timecode_at
from vidrestore.media.timeline import Span

PAL, NTSC, FAST = Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)
CASES = {
    "nothing cut off": ("10:00:00:00", Fraction(0), PAL, "10:00:00:00"),
    "a second": ("01:02:03:04", Fraction(1), PAL, "01:02:04:04"),
    "to the first frame behind": ("00:00:00:00", Fraction(1, 100), PAL, "00:00:00:01"),
    "over midnight": ("23:59:59:24", Fraction(1, 25), PAL, "00:00:00:00"),
    "not dropped": ("00:00:59:29", 1 / NTSC, NTSC, "00:01:00:00"),
    "dropped at a minute": ("00:00:59;29", 1 / NTSC, NTSC, "00:01:00;02"),
    "kept at the tenth": ("00:09:59;29", 1 / NTSC, NTSC, "00:10:00;00"),
    "ten minutes": ("00:00:00;00", 17982 / NTSC, NTSC, "00:10:00;00"),
    "an hour": ("01:00:00;00", 107892 / NTSC, NTSC, "02:00:00;00"),
    "four dropped at 60": ("00:00:59;59", 1 / FAST, FAST, "00:01:00;04"),
    "no timecode": ("noon", Fraction(1), PAL, "noon"),
}


@pytest.mark.parametrize(("given", "start", "rate", "expected"), CASES.values(), ids=CASES.keys())
def test_timecode_at(given, start, rate, expected):
    assert timecode_at(start, given, rate) == expected


def test_drop_frame_counts_every_frame_once():
    """A day of drop-frame timecodes, each minute's turn: no label twice, none of those left out."""
    seen = [timecode_at(Fraction(frame) / NTSC, "00:00:00;00", NTSC) for frame in range(0, 17982 * 6, 29)]
    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen)
    for minute in range(1, 60):
        if minute % 10:
            assert f"00:{minute:02}:00;00" not in seen
            assert f"00:{minute:02}:00;01" not in seen


@pytest.mark.parametrize("ending", [".mov", ".mp4", ".mkv"])
def test_a_part_has_the_timecode_of_its_first_frame(tmp_path, caplog, ending):
    source = sources.make(
        tmp_path / "in.mov", sources.VIDEO, sources.AUDIO, timecode="01:02:03:04", **{"c:a": "aac"}
    )
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    listed = reader.describe(out).partition("Stream mapping")[0]
    assert listed.count("01:02:03:04") == (1 if ending == ".mkv" else 2)
    again = pass_through_fast(out, tmp_path / "again.mov")
    assert reader.describe(again).partition("Stream mapping")[0].count("01:02:03:04") == 2
    part = pass_through_fast(source, tmp_path / f"part{ending}", span=Span(Fraction(1, 2)))
    assert "01:02:03:17" in reader.describe(part)
    assert "cannot hold" not in caplog.text


@pytest.mark.parametrize(
    ("first", "rate", "writable"),
    [
        ("01:00:00:00", Fraction(25), True),
        ("01:00:00:00", Fraction(240), True),
        ("01:00:00:00", Fraction(480), False),
        ("01:00:00:00", Fraction(1, 5), False),
        ("01:00:00;02", Fraction(30000, 1001), True),
        ("01:00:00;02", Fraction(25), False),
        ("one o'clock", Fraction(25), False),
    ],
)
def test_a_timecode_that_a_track_cannot_hold_is_named(tmp_path, caplog, first, rate, writable):
    assert is_writable(first, rate) == writable
    metadata = ("-metadata", f"timecode={first}")
    source = synthetic(tmp_path / "in.mkv", f"testsrc2=s=64x48:r={rate}", "-frames:v", 4, *metadata)
    out = pass_through_fast(source, tmp_path / "out.mp4")
    assert len(reader.frames(out)) == 4
    assert (first in reader.describe(out)) == writable
    assert ("timecode" in caplog.text) == (not writable)


@pytest.mark.parametrize(
    ("first", "second", "rate", "frames"),
    [
        ("01:00:00:00", "01:00:01:01", PAL, 26),
        ("01:00:00:01", "01:00:00:00", PAL, -1),
        ("23:59:59:24", "00:00:00:00", PAL, 1),
        ("00:00:59;29", "00:01:00;02", NTSC, 1),
        ("00:00:00:00", "11:59:59:24", PAL, 12 * 3600 * 25 - 1),
        ("noon", "01:00:00:00", PAL, None),
        ("01:00:00:00", "01:00:00:01", Fraction(1, 5), None),
    ],
)
def test_frames_between(first, second, rate, frames):
    assert frames_between(first, second, rate) == frames


def with_reel(folder: Path) -> Path:
    """QuickTime as cameras write it: a timecode track that names its reel."""
    return sources.make(
        folder / "in.mov", sources.VIDEO, timecode="01:02:03:04", **{"metadata:s:v:0": "reel_name=A001C003"}
    )


def timecode_tracks(path: Path) -> list[tuple[str, str | None]]:
    with av.open(str(path)) as container:
        tags = [stream.metadata for stream in container.streams if stream.type == "data"]
    return [(tag["timecode"], tag.get("reel_name")) for tag in tags if "timecode" in tag]


def test_quicktime_keeps_the_name_of_the_reel(tmp_path, caplog):
    source = with_reel(tmp_path)
    assert timecode_tracks(source) == [("01:02:03:04", "A001C003")]
    out = pass_through_fast(source, tmp_path / "out.mov")
    assert timecode_tracks(out) == [("01:02:03:04", "A001C003")]
    matroska = pass_through_fast(source, tmp_path / "out.mkv")
    assert timecode_tracks(pass_through_fast(matroska, tmp_path / "again.mov")) == timecode_tracks(source)
    assert caplog.messages == []


def test_mp4_names_the_loss_of_the_reel(tmp_path, caplog):
    source = with_reel(tmp_path)
    assert timecode_tracks(pass_through_fast(source, tmp_path / "out.mp4")) == [("01:02:03:04", None)]
    (said,) = caplog.messages
    assert said.startswith("out.mp4 cannot hold the reel name 'A001C003' of the input's #1 data: ")
    assert said.endswith("; .mov keeps it")
    with Decoder(source) as decoder, pytest.raises(OutputError, match=r"--strict: .*the reel name"):
        refuse_losses(decoder.source, MP4, "out.mp4")


def test_a_further_timecode_without_a_video_is_named(tmp_path, caplog):
    other = sources.make(tmp_path / "other.mov", sources.OTHER_VIDEO, timecode="09:08:07:06")
    source = sources.make(tmp_path / "both.mov", with_reel(tmp_path), other, select="0 1:d", codec="copy")
    assert len(timecode_tracks(source)) == 2
    pass_through_fast(source, tmp_path / "out.mov")
    (said,) = caplog.messages
    assert "out.mov cannot hold the further timecode 0" in said


def test_each_video_keeps_its_timecode_and_reel(tmp_path, caplog):
    tags = (
        f"-metadata:s:v:{n} {tag}".split()
        for n in (0, 1)
        for tag in (f"timecode=0{n}:00:00:00", f"reel_name=A00{n}")
    )
    inputs = sources.VIDEO, sources.OTHER_VIDEO
    source = sources.make(tmp_path / "in.mov", *inputs, arguments=tuple(chain(*tags)))
    assert timecode_tracks(source) == [("00:00:00:00", "A000"), ("01:00:00:00", "A001")]
    assert timecode_tracks(pass_through_fast(source, tmp_path / "out.mov")) == timecode_tracks(source)
    assert caplog.messages == []
