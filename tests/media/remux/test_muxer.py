"""Every frame keeps its timestamp in every container."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.support import reader
from tests.support.frames import clip, pass_through_fast

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
    source = clip(tmp_path / "in.mp4", count=12, audio=1, **timing)
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    expected = [line.time for line in reader.frames(source)]
    assert len(expected) == 12
    assert [line.time for line in reader.frames(out)] == expected


def test_matroska_keeps_times_to_its_own_millisecond(tmp_path):
    source = clip(tmp_path / "in.mp4", count=12, audio=1, rate=Fraction(30000, 1001))
    out = pass_through_fast(source, tmp_path / "out.mkv")
    pairs = zip(reader.frames(source), reader.frames(out), strict=True)
    assert all(abs(a.time - b.time) <= Fraction(1, 1000) for a, b in pairs)
