"""Sound that an edit list leaves out does not come back."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import reader, sources
from tests.support.frames import pass_through_fast
from vidrestore.media.remux.cut_sound import without_cut_sound


def packet(tenths: int, *, is_discard: bool = False, kind: str = "audio") -> Any:
    return SimpleNamespace(
        pts=tenths,
        duration=1,
        time_base=Fraction(1, 10),
        stream=SimpleNamespace(type=kind),
        stream_index=("audio", "video").index(kind),
        is_discard=is_discard,
    )


def kept(packets: list[Any], begin: Fraction = Fraction(0)) -> list[int]:
    return [p.pts for p in without_cut_sound(packets, begin)]


def test_what_is_read_before_an_edit_is_left_out():
    shown = [packet(n) for n in range(5)]
    before = [packet(n, is_discard=True) for n in range(5)]
    after = [packet(n) for n in range(5, 8)]
    assert kept(shown + before + after) == list(range(8))


def test_the_delay_of_a_codec_is_kept():
    first = [packet(n, is_discard=n < 0) for n in range(-9, 3)]
    assert kept(first) == [-2, -1, 0, 1, 2]
    assert kept(first, Fraction(-1)) == list(range(-9, 3))


def test_everything_else_is_kept():
    """Also what goes back without a mark, and pictures, which others depend on."""
    packets = [packet(3), packet(1), packet(5, kind="video"), packet(2, is_discard=True, kind="video")]
    assert kept(packets) == [3, 1, 5, 2]


def begin_later(path: Path, seconds: float) -> Path:
    """Let the edit list of each track of a QuickTime file begin later (QTFF, edit list atom)."""
    data, place = bytearray(path.read_bytes()), 0
    movie = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)[0]
    for _ in range(2):
        scale = struct.unpack_from(">I", data, data.index(b"mdhd", data.index(b"elst", place)) + 16)[0]
        place = data.index(b"elst", place) + 12
        duration, begin = struct.unpack_from(">Ii", data, place)
        struct.pack_into(
            ">Ii", data, place, duration - round(seconds * movie), begin + round(seconds * scale)
        )
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("ending", [".mkv", ".mov"])
def test_a_trimmed_beginning_stays_trimmed(tmp_path, ending):
    sound = ("sine=440:d=4:r=48000", {"f": "lavfi"})
    video = ("testsrc=s=64x48:r=25:d=4", {"f": "lavfi"})
    source = sources.make(tmp_path / "in.mov", video, sound, **{"c:a": "aac", "g": 10})
    out = pass_through_fast(begin_later(source, 2), tmp_path / f"out{ending}")
    assert len(reader.frames(out)) == 50
    times = [line.time for line in reader.packets(out, "0:a")]
    assert -0.2 <= times[0] <= 0.03
    assert times[-1] == pytest.approx(2, abs=0.1)
