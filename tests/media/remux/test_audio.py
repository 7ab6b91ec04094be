"""Transcoded audio keeps its samples and its time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.support import sources
from tests.support.frames import pass_through_fast
from tests.support.sound import decoded_sound


def test_sound_with_a_hole_keeps_its_time_when_it_is_converted(tmp_path):
    whole = sources.make(
        tmp_path / "whole.mkv", sources.VIDEO, sources.SOUND, **{"c:a": "adpcm_ms", "block_size": 256}
    )
    # What was lost on the way, as of a broadcast.
    drop = r"noise=amount=-1:drop=between(pts*tb\,0.3\,0.8)"
    holed = sources.make(tmp_path / "in.mkv", whole, c="copy", **{"bsf:a": drop})
    out = pass_through_fast(holed, tmp_path / "out.mp4")
    (given_begin, given), (begin, got) = decoded_sound(whole), decoded_sound(out)
    assert abs(given_begin - begin) <= Fraction(2, 1000)
    assert np.abs(got[16000:36000]).max() == 0
    assert np.abs(got[40000:46000]).max() > 0.05
    match = max(range(-100, 101), key=lambda n: np.dot(got[40000:46000], given[40000 + n : 46000 + n]))
    assert abs(match) <= 48  # a millisecond
