"""Timecodes are those of the first frame of a part."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.support import reader, sources
from tests.support.frames import pass_through_fast, synthetic
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
