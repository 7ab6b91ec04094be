"""Transcoded audio keeps its samples and its time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.support import sources
from tests.support.audio import decode_audio
from tests.support.frames import pass_through_fast


def test_gaps_are_filled_with_silence(tmp_path):
    whole = sources.make(
        tmp_path / "whole.mkv", sources.VIDEO, sources.AUDIO, **{"c:a": "adpcm_ms", "block_size": 256}
    )
    # Drop packets, as happens in a broadcast.
    drop = r"noise=amount=-1:drop=between(pts*tb\,0.3\,0.8)"
    broken = sources.make(tmp_path / "in.mkv", whole, c="copy", **{"bsf:a": drop})
    out = pass_through_fast(broken, tmp_path / "out.mp4")
    (given_begin, given), (begin, got) = decode_audio(whole), decode_audio(out)
    assert abs(given_begin - begin) <= Fraction(2, 1000)
    assert np.abs(got[16000:36000]).max() == 0
    assert np.abs(got[40000:46000]).max() > 0.05
    match = max(range(-100, 101), key=lambda n: np.dot(got[40000:46000], given[40000 + n : 46000 + n]))
    assert abs(match) <= 48  # a millisecond
