"""One wrong time of a packet is that packet's alone; gaps and clocks that are set stay."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import reader, sources
from tests.support.encoders import open_segment_writer
from tests.support.frames import pass_through_fast
from vidrestore.errors import InputError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.remux.sound_times import SoundTimes
from vidrestore.media.remux.stream_copier import StreamCopier


def packet(dts: int | None, *, kind: str = "audio", index: int = 1, duration: int = 20) -> Any:
    stream = SimpleNamespace(type=kind)
    times = {"dts": dts, "pts": dts, "duration": duration, "time_base": Fraction(1, 1000)}
    return SimpleNamespace(**times, stream=stream, stream_index=index)


RIGHT = [0, 20, 40, 60, 80, 100, 120]


@pytest.mark.parametrize("duration", [20, 0])
@pytest.mark.parametrize("wrong", [600_060, 1060, 350, 9**9])
@pytest.mark.parametrize("place", [2, 3, 5])
def test_a_packet_that_leaps_is_put_back(place: int, wrong: int, duration: int) -> None:
    times = SoundTimes()
    given = [*RIGHT[:place], wrong, *RIGHT[place + 1 :]]
    found = list(times(packet(dts, duration=duration) for dts in given))
    assert [p.dts for p in found] == [p.pts for p in found] == RIGHT
    assert times.moved == 1


def test_a_packet_that_falls_back_is_put_back() -> None:
    times = SoundTimes()
    given = [5000, 5020, 0, 5060, 5080]
    assert [p.dts for p in times(map(packet, given))] == [5000, 5020, 5040, 5060, 5080]
    assert times.moved == 1


@pytest.mark.parametrize(
    "given",
    [
        [0, 20, 40, 560, 580, 600],  # a gap
        [5000, 5020, 0, 20, 40],  # a clock that is set back
        [0, 20, 40, 9000],  # the last one
        [0, 25, 38, 61, 79],
        [],
    ],
)
def test_other_times_are_kept(given: list[int]) -> None:
    times = SoundTimes()
    assert [p.dts for p in times(map(packet, given))] == given
    assert times.moved == 0


def test_other_streams_are_not_touched() -> None:
    times = SoundTimes()
    given = [packet(0), packet(0, index=2), packet(20), packet(7000, kind="subtitle", index=3)]
    given += [packet(900), packet(20, index=2), packet(None), packet(60)]
    found = [(p.stream_index, p.dts) for p in times(given)]
    assert found == [(1, 0), (2, 0), (1, 20), (3, 7000), (2, 20), (1, None), (1, 40), (1, 60)]


@pytest.mark.parametrize("by", [1, 600, -1])
def test_one_wrong_time_moves_no_other_sound(tmp_path, monkeypatch, caplog, by) -> None:
    source = sources.make(tmp_path / "in.mkv", sources.VIDEO, sources.AUDIO, **{"c:a": "aac"})
    real = StreamCopier._read

    def read(copier: StreamCopier, streams: list[Any]) -> Any:
        number = 0
        for packet in real(copier, streams):
            if packet.stream.type == "audio":
                number += 1
                if number == 30:
                    ticks = round(by / packet.time_base)
                    packet.dts, packet.pts = packet.dts + ticks, packet.pts + ticks
            yield packet

    right = reader.packets(pass_through_fast(source, tmp_path / "right.mp4"), "0:a")
    monkeypatch.setattr(StreamCopier, "_read", read)
    mended = reader.packets(pass_through_fast(source, tmp_path / "out.mp4"), "0:a")
    assert [line.digest for line in mended] == [line.digest for line in right]
    assert max(abs(a.time - b.time) for a, b in zip(mended, right, strict=True)) < Fraction(1, 500)
    assert "the time of 1 packet of sound was wrong" in caplog.text
    with pytest.raises(InputError, match="the time of 1 packet of sound was wrong"):
        strictly(source, tmp_path / "strict.mp4")


def strictly(source: Path, out: Path) -> None:
    settings = EncoderSettings(codec="libx264", preset="ultrafast")
    with Decoder(source) as decoder, open_segment_writer(decoder, out, settings, strict=True) as writer:
        for frame in decoder:
            writer.write(frame)
