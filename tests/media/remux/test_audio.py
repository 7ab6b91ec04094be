"""Transcoded audio keeps its samples and its time."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tests.support import reader, sources
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


LATM = {"c:a": "aac", "mpegts_flags": "latm", "b:a": "128k"}
#: Its first frames need no resampling: they are in the samples that are written.
SMPTE_302M = {"c:a": "s302m", "strict": "-2", "sample_fmt": "s16"}


@pytest.mark.parametrize(
    ("codec", "other"),
    [(LATM, {"ac": 6}), (LATM, {"ar": 32000}), (SMPTE_302M, {"ac": 6})],
    ids=["channels", "rate", "channels of PCM"],
)
def test_sound_that_changes_goes_on_as_it_began(tmp_path, caplog, codec, other):
    """Broadcasts do so between programmes; these codecs are transcoded for Matroska."""
    parts = [
        sources.make(tmp_path / f"{n}.ts", sources.VIDEO, sources.AUDIO, **codec, **given)
        for n, given in enumerate(({"ac": 2}, other))
    ]
    source = tmp_path / "in.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    out = pass_through_fast(source, tmp_path / "out.mkv")
    with av.open(out) as file:
        frames = [
            (frame.time, np.abs(frame.to_ndarray().astype(float)).max()) for frame in file.decode(audio=0)
        ]
    begin, end = frames[0][0], frames[-1][0]
    assert end - begin == pytest.approx(2.4, abs=0.1)
    assert min(loudest for time, loudest in frames if 1.5 < time - begin < 2.2) > 0
    assert "changes its channels or sample rate" in caplog.text


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_pcm_without_a_layout_is_copied(tmp_path, channels, ending):
    """Matroska does not say which microphone is which; MP4 needs to."""
    layouts = ["mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1"]
    sound = (f"sine=440:d=1.2:r=48000,aformat=channel_layouts={layouts[channels - 1]}", {"f": "lavfi"})
    given = sources.make(tmp_path / "in.mkv", sources.VIDEO, sound, **{"c:a": "pcm_s24le"})
    out = pass_through_fast(given, tmp_path / f"out.{ending}")
    digests = [
        b"".join(line.digest.encode() for line in reader.packets(path, "0:a")) for path in (given, out)
    ]
    assert digests[0] == digests[1]


def test_pcm_of_many_channels_is_named(tmp_path, caplog):
    sound = ("sine=440:d=1.2:r=48000,aformat=channel_layouts=hexadecagonal", {"f": "lavfi"})
    given = sources.make(tmp_path / "in.mkv", sources.VIDEO, sound, **{"c:a": "pcm_s16le"})
    pass_through_fast(given, tmp_path / "out.mp4")
    assert "#1 audio: pcm_s16le, 48000 Hz, 16 channels: it is dropped; .mkv keeps it" in caplog.text
