"""Reading stops behind the part that is wanted, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from av.packet import Packet
from av.stream import Disposition, Stream

from tests.support import reader, sources
from tests.support.frames import pass_through_fast
from vidrestore.media.remux.part_end import until_end
from vidrestore.media.remux.stream_copier import StreamCopier
from vidrestore.media.timeline import Span

KINDS = ("video", "audio", "subtitle", "video")
STREAMS: Any = [
    SimpleNamespace(index=i, type=kind, disposition=Disposition(0)) for i, kind in enumerate(KINDS[:3])
]
COVER: Any = SimpleNamespace(index=3, type="video", disposition=Disposition.attached_pic)


def packets(*given: tuple[str, int | None]) -> list[Any]:
    """Packets of streams, named by their kind, at whole seconds."""
    return [
        SimpleNamespace(stream_index=KINDS.index(kind), dts=time, time_base=Fraction(1))
        for kind, time in given
    ]


def read(given: list[Any], end: int | None) -> int:
    return sum(1 for _ in until_end(given, None if end is None else Fraction(end), [*STREAMS, COVER]))


def both(first: int, last: int) -> list[tuple[str, int | None]]:
    return [(kind, time) for time in range(first, last) for kind in ("video", "audio")]


def test_it_stops_when_sound_and_video_have_passed_the_end():
    assert read(packets(*both(0, 90)), 10) == 2 * 15
    assert read(packets(*both(0, 90)), None) == 180


def test_sound_that_comes_later_in_the_file_is_read():
    late = [("video", time) for time in range(90)] + [("audio", time) for time in range(90)]
    assert read(packets(*late), 10) == 90 + 15
    behind = [(kind, time) for time in range(90) for kind, time in (("video", time + 20), ("audio", time))]
    assert read(packets(*behind), 10) == 2 * 15
    # Its first packets come when the video is far beyond the end already.
    behind = [("video", time) for time in range(45)]
    behind += [(kind, time) for time in range(45) for kind, time in (("audio", time), ("video", time + 45))]
    assert read(packets(*behind), 10) == 45 + 2 * 12


def test_subtitles_that_follow_the_sound_of_their_time_are_read():
    given = [*both(0, 12), ("subtitle", 9), *both(12, 90)]
    assert read(packets(*given), 10) == 2 * 15 + 1


def test_it_stops_although_the_sound_has_ended():
    given = [*both(0, 5), *(("video", time) for time in range(5, 90))]
    assert read(packets(*given), 10) == 10 + 38


@pytest.mark.parametrize("wrong", [("video", 500), ("subtitle", 500), ("audio", None)])
def test_one_wrong_time_ends_nothing(wrong: tuple[str, int | None]):
    given = [*both(0, 5), wrong, *both(5, 90)]
    assert read(packets(*given), 10) == 2 * 15 + 1


def test_a_part_does_not_read_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    picture, sound = ("testsrc=s=64x48:r=5:d=60", {"f": "lavfi"}), ("sine=d=60", {"f": "lavfi"})
    source = sources.make(tmp_path / "in.mkv", picture, sound, select="0:v 1:a", **{"c:a": "aac"})
    times: list[Fraction] = []
    real = StreamCopier._read

    def read(self: StreamCopier, streams: list[Stream]) -> Iterator[Packet]:
        for packet in real(self, streams):
            assert packet.dts is not None
            times.append(packet.dts * packet.time_base)
            yield packet

    monkeypatch.setattr(StreamCopier, "_read", read)
    out = pass_through_fast(source, tmp_path / "out.mkv", span=Span(end=Fraction(2)))
    assert 4 <= max(times) < 6
    sound_end = reader.packets(out, "0:a:0")[-1]
    assert 1.95 < sound_end.time + sound_end.duration < 2.05
