"""Packets that a muxer refuses get timestamps that it accepts."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from tests.support import reader, sources
from tests.support.frames import pass_through_fast
from vidrestore.media.remux.packet_times import PacketTimes


def packet(dts, pts=None, duration=20):
    packet = av.Packet(1)
    packet.dts, packet.pts = dts, dts if pts is None else pts
    packet.duration, packet.time_base = duration, Fraction(1, 1000)
    return packet


def taken(given: list[av.Packet], *, is_audio: bool = False) -> list[int]:
    """The dts that reach a muxer which accepts increasing ones only."""
    times, last = PacketTimes(is_audio=is_audio), -1
    for p in given:
        times.shift(p)
        if p.dts is None or p.dts <= last or p.pts < p.dts:
            times.repair(p)
        times.record(p)
        assert p.pts >= p.dts > last
        last = p.dts
    return [p.dts for p in given]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([0, 20, 40], [0, 20, 40]),
        ([0, None, None, 60], [0, 20, 40, 60]),
        ([0, 20, 20, 40], [0, 20, 21, 40]),
        # A clock that is set back stays shifted for all packets that follow.
        ([5000, 5020, 0, 20, 50], [5000, 5020, 5040, 5060, 5090]),
    ],
)
def test_refused_packets_get_increasing_timestamps(given, expected):
    assert taken([packet(dts) for dts in given]) == expected


@pytest.mark.parametrize(
    ("is_audio", "expected"), [(True, [480, 500, 520, 540]), (False, [480, 500, 501, 502])]
)
def test_audio_that_is_set_back_by_less_than_a_second(is_audio, expected):
    assert taken([packet(dts) for dts in (480, 500, 0, 20)], is_audio=is_audio) == expected


def test_a_subtitle_out_of_order_moves_no_other():
    assert taken([packet(dts) for dts in (1000, 300, 2000)]) == [1000, 1001, 2000]


def test_audio_without_a_duration_gets_that_of_the_packet_before():
    times, given = PacketTimes(is_audio=True), [packet(dts, duration=0) for dts in (0, 85, 171)]
    for p in given:
        times.shift(p)
        times.record(p)
    assert [p.duration for p in given] == [0, 0, 85]


@pytest.mark.parametrize("ending", [".mp4", ".mov"])
def test_the_last_packet_is_played(tmp_path, ending):
    """Matroska has no durations of ALAC."""
    source = sources.make(tmp_path / "in.mkv", sources.VIDEO, sources.AUDIO, **{"c:a": "alac"})
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    sound = [line.digest for line in reader.packets(source, "0:a")]
    assert [line.digest for line in reader.packets(out, "0:a")] == sound
