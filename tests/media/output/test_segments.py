"""Segment files hold their packets, and are read only if they are complete."""

from __future__ import annotations

import errno
from pathlib import Path

import av
import pytest

from tests.support.segments import COUNT, make_clip
from vidrestore.errors import OutputError
from vidrestore.media.output.segments import DecodingTimes, SegmentFile, is_sound, read_segment


def test_an_incomplete_segment_is_not_read(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4")
    with av.open(str(source)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    path = tmp_path / "0.segment"
    file = SegmentFile(path)
    file.add(packets)
    assert not path.exists()
    file.finish(frames=COUNT, info=[{"any": 3}, {}], side_data={"b", "a"}, extradata=b"\1\2")
    segment = read_segment(path)
    assert (segment.frames, segment.info, segment.extradata) == (COUNT, [{"any": 3}, {}], b"\1\2")
    assert segment.side_data == {"a", "b"}
    again = list(segment.packets([dts for _, dts in segment.timestamps]))
    assert [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in again] == [
        (bytes(p), p.pts, p.dts, p.is_keyframe) for p in packets
    ]
    whole = path.read_bytes()
    assert is_sound(path)
    for place in (0, 100, len(whole) // 2, -100, -26, -10, -1):
        content = bytearray(whole)
        content[place] ^= 1
        path.write_bytes(content)
        assert not is_sound(path)
    for damaged in (b"", whole[:-1], whole[:40], whole[: len(whole) // 2], b"x" * 100):
        path.write_bytes(damaged)
        assert read_segment(path) is None
        assert not is_sound(path)
    assert read_segment(tmp_path / "gone.segment") is None


def test_a_segment_that_cannot_be_read_now_is_not_damaged(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "0.segment"
    SegmentFile(path).finish(frames=0, info=[], side_data=(), extradata=b"")

    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("vidrestore.media.output.segments._read_record", failing)
    with pytest.raises(OutputError, match=r"0\.segment cannot be read: Input/output error"):
        read_segment(path)


def timestamps(order: list[int], delay: int, first: int = 0) -> list[tuple[int, int]]:
    """pts and dts of frames that are coded in this order, 10 ticks each."""
    times = [10 * i for i in range(first - delay, first + len(order))]
    return [(10 * (first + frame), times[place]) for place, frame in enumerate(order)]


def test_decoding_times_are_those_of_one_encoder() -> None:
    times = DecodingTimes()
    whole = []
    for first in (0, 6, 12):
        whole += times(timestamps([0, 3, 1, 2, 5, 4], delay=2, first=first))
    assert whole == [10 * i for i in range(-2, 16)]
    without = DecodingTimes()
    assert without([(0, 0), (5, 5), (25, 25)]) + without([(30, 30), (31, 31)]) == [0, 5, 25, 30, 31]
