"""Encoders that only count frames: every packet still gets the time of its frame."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.support import reader
from tests.support.frames import clip, pass_through
from vidrestore.errors import UsageError
from vidrestore.media.encode.settings import EncoderSettings

#: Irregular, in ticks of the time base of transport streams, which these encoders do not take.
TIMES = [0, 3600, 7200, 14400, 18100, 21600, 25200, 43200]


@pytest.mark.parametrize("out", ["out.mkv", "out.mp4"])
@pytest.mark.parametrize("reordered", ["0", "2"])
@pytest.mark.parametrize("encoder", ["mpeg2video", "mpeg4"])
def test_times_are_kept(tmp_path, encoder, reordered, out):
    base = Fraction(1, 90000)
    given = clip(tmp_path / "in.mp4", 8, (96, 64), times=TIMES, time_base=base)
    settings = EncoderSettings(encoder, options=(("bf", reordered),))
    made = pass_through(given, tmp_path / out, settings, strict=True)
    expected = [time * base for time in TIMES]
    if out == "out.mkv":
        expected = [Fraction(round(time * 1000), 1000) for time in expected]
    assert [line.time for line in reader.frames(made)] == expected


def test_a_rate_that_the_encoder_does_not_know_is_named(tmp_path):
    given = clip(tmp_path / "in.mp4", rate=Fraction(7))
    with pytest.raises(UsageError, match="with 7 frames per second"):
        pass_through(given, tmp_path / "out.mkv", EncoderSettings("mpeg1video"))
