"""Every frame keeps its timestamp in every container."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
import pytest

from tests.support import listing, reader, sources
from tests.support.clips import decode
from tests.support.encoders import open_writer
from tests.support.frames import FAST, clip, ffmpeg, pass_through_fast, synthetic
from vidrestore.errors import InputError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.timeline import Span

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


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("before", [1.5, 50])
def test_a_file_that_begins_before_zero_is_moved_as_a_whole(tmp_path, before, ending):
    """FFmpeg gives negative times to what lies before the wrap of a transport stream's clock of 33 bits."""
    source = synthetic(
        tmp_path / "in.ts",
        "testsrc2=s=64x48:r=25:d=3[out0];sine=d=3[out1]",
        *(
            "-c:v",
            "libx264",
            "-bf",
            3,
            "-c:a",
            "mp2",
            "-output_ts_offset",
            2**33 / 90000 - before,
            "-muxdelay",
            0,
        ),
    )
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    given, found = reader.frames(source), reader.frames(out)
    move = -reader.packets(source, "0:a")[0].time
    assert given[0].time < 0
    assert len(given) == len(found) == len(decode(out)) == 75
    near = 0 if ending != ".mkv" else Fraction(1, 1000)
    assert all(abs(a.time + move - b.time) <= near for a, b in zip(given, found, strict=True))
    sound = list(zip(reader.packets(source, "0:a"), reader.packets(out, "0:a"), strict=True))
    assert [a.digest for a, _ in sound] == [b.digest for _, b in sound]
    assert abs(sound[0][0].time + move - sound[0][1].time) <= Fraction(1, 1000)


def test_priming_samples_move_nothing(tmp_path):
    source = clip(tmp_path / "in.mp4", count=12, audio=1)
    copy = tmp_path / "copy.mkv"
    ffmpeg("-i", source, "-c", "copy", "-avoid_negative_ts", "disabled", copy)
    out = pass_through_fast(copy, tmp_path / "out.mp4")
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 25) for i in range(12)]


def joined(folder, *offsets: float, ending: str = ".ts"):
    """Recordings of a second of moving pictures and sound, with clocks that begin at ``offsets``, joined."""
    codec = "libx264" if ending == ".ts" else "mpeg2video"
    parts = [
        synthetic(
            folder / f"{number}{ending}",
            "testsrc2=s=64x48:r=25:d=1[out0];sine=d=1:r=48000[out1]",
            *("-c:v", codec, "-g", 12, "-bf", 2, "-c:a", "mp2", "-output_ts_offset", offset),
        )
        for number, offset in enumerate(offsets)
    ]
    source = folder / f"in{ending}"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    return source, parts


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize(
    "offsets", [(1000, 20), (1000, 20, 1000, 20), (0, 18000, 3), (95442, 95442, 900)], ids=str
)
def test_a_clock_that_jumps_goes_on_from_where_it_was(tmp_path, caplog, offsets, ending):
    source, parts = joined(tmp_path, *offsets)
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    video, sound = reader.frames(out), reader.packets(out, "0:a")
    times = [frame.time for frame in video]
    assert len(decode(out)) == len(video) == 25 * len(parts)
    assert all(Fraction(1, 25) / 2 < b - a < Fraction(1, 4) for a, b in pairwise(times))
    assert [p.digest for p in sound] == [p.digest for part in parts for p in reader.packets(part, "0:a")]
    for number, part in enumerate(parts):  # sound and video are to each other as they were
        given = reader.packets(part, "0:a")
        place = number * len(given)
        apart = reader.frames(part)[0].time - given[0].time
        assert abs(times[25 * number] - sound[place].time - apart) <= Fraction(1, 500)
    assert f"{25 * (len(parts) - 1)} frames had no valid timestamp" in caplog.text


def test_a_part_behind_a_jump_of_the_clock_is_found(tmp_path):
    source, _ = joined(tmp_path, 1000, 20)
    out = pass_through_fast(source, tmp_path / "out.mkv", span=Span(Fraction(3, 2), Fraction(9, 5)))
    whole = pass_through_fast(source, tmp_path / "whole.mkv")
    begin = reader.packets(whole, "0:a")[0].time
    wanted = [f.time for f in reader.frames(whole) if Fraction(3, 2) <= f.time - begin < Fraction(9, 5)]
    assert len(reader.frames(out)) == len(wanted) > 5
    assert len(reader.packets(out, "0:a")) > 10


def test_program_streams_are_joined_likewise(tmp_path):
    source, _ = joined(tmp_path, 0, 18000, 20, ending=".mpg")
    out = pass_through_fast(source, tmp_path / "out.mkv")
    times = [frame.time for frame in reader.frames(out)]
    assert len(times) == 75
    assert all(0 < b - a < Fraction(1, 4) for a, b in pairwise(times))


@pytest.mark.parametrize("ending", [".mp4", ".mov"])
def test_a_first_time_between_two_milliseconds_is_kept(tmp_path, ending):
    given = [100001 + 3600 * number for number in range(12)]
    source = clip(tmp_path / "in.ts", count=12, time_base=Fraction(1, 90000), times=given)
    times = [frame.time for frame in reader.frames(source)]
    assert (times[0] * 1000).denominator > 1
    assert [f.time for f in reader.frames(pass_through_fast(source, tmp_path / f"out{ending}"))] == times


class _Refuses:
    """An output that refuses the third packet of the sound."""

    def __init__(self, output: Any) -> None:
        self._output, self._packets = output, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    def mux(self, packet: av.Packet) -> None:
        if packet.stream.type == "audio":
            self._packets += 1
            if self._packets == 3:
                raise av.error.InvalidDataError(1, "Invalid data found")
        self._output.mux(packet)


@pytest.mark.parametrize("strict", [False, True])
def test_a_packet_that_cannot_be_kept_is_counted(tmp_path, caplog, strict):
    source, out = clip(tmp_path / "in.mp4", count=12, audio=1), tmp_path / "out.mkv"

    def run() -> None:
        with Decoder(source) as decoder, open_writer(decoder, out, FAST, strict=strict) as writer:
            writer._muxer._output = _Refuses(writer._muxer._output)
            for frame in decoder:
                writer.write(frame)

    if strict:
        with pytest.raises(InputError, match="1 packets of other streams could not be kept"):
            run()
        assert not out.exists()
        return
    run()
    assert "in.mp4 is damaged: 1 packets of other streams could not be kept" in caplog.text
    given = [packet.digest for packet in reader.packets(source, "0:a")]
    assert [packet.digest for packet in reader.packets(out, "0:a")] == given[:2] + given[3:]


def test_sound_and_chapters_begin_when_they_should_beside_a_coarse_video(tmp_path):
    """An edit list, which says when, counts in a clock of the whole file."""
    tags = tmp_path / "tags.txt"
    chapters = ("START=0\nEND=513\n", "START=513\nEND=900\n")
    tags.write_text(";FFMETADATA1\n" + "".join(f"[CHAPTER]\nTIMEBASE=1/1000\n{c}" for c in chapters))
    sound = ("sine=440:d=1:r=48000", {"f": "lavfi", "itsoffset": 0.509})
    given = {"c:v": "libx264", "bf": 0, "c:a": "pcm_s16le", "video_track_timescale": 25}
    source = sources.make(tmp_path / "in.mov", sources.VIDEO, sound, tags=tags, map_chapters=2, **given)
    out = pass_through_fast(source, tmp_path / "out.mov")
    assert float(reader.packets(out, "0:a")[0].time) == pytest.approx(0.509, abs=0.001)
    _, chapter = listing.metadata(out)[1:]
    assert float(chapter["start"]) == pytest.approx(0.513, abs=0.001)
