"""The clock of a transport stream runs on: it wraps, is set back where recordings are joined, and jumps."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from vidrestore.media.clock import Clock

SECOND = 90_000
WRAP = 1 << 33
#: What lies between the starts of packets, and the length of each.
STEP = SECOND // 10


def part(start: float, count: int, *, sound: float | None = 0.0, step: int = STEP) -> list[Any]:
    """Packets of a video (stream 0), and of sound (stream 1) that begins ``sound`` seconds later."""
    packets = []
    for number in range(count):
        for index, late in ((0, 0.0), (1, sound)):
            if late is not None:
                stamp = round((start + late) * SECOND) + number * step
                packets.append(packet(index, stamp, duration=step))
    return packets


def packet(index: int, dts: int | None, *, pts: int | None = None, duration: int = STEP, kind=None) -> Any:
    stream = SimpleNamespace(type=kind or ("video", "audio")[index])
    pts = dts if pts is None else pts
    return SimpleNamespace(stream_index=index, stream=stream, dts=dts, pts=pts, duration=duration)


def run(packets: list[Any], form: str = "mpegts") -> tuple[list[int], list[int], Clock]:
    """The dts of the video and of the sound, in tenths of a second, and the clock."""
    clock = Clock(SimpleNamespace(format=SimpleNamespace(name=form)), 0)  # pyright: ignore
    found = list(clock(packets))
    assert [id(p) for p in found] == [id(p) for p in packets]
    video, sound = ([round(p.dts / STEP, 6) for p in found if p.stream_index == index] for index in (0, 1))
    return video, sound, clock


@pytest.mark.parametrize(
    ("packets", "video", "sound", "moved"),
    [
        (part(1000, 5), range(10000, 10005), range(10000, 10005), None),
        # Set back, once and several times, by much and by little.
        (part(1000, 5) + part(20, 5), range(10000, 10010), range(10000, 10010), 1000.5),
        (part(7, 5) + part(7.2, 5) + part(0, 3), range(70, 83), range(70, 83), 7.5),
        (part(30, 5) + part(20, 5) + part(10, 5), range(300, 315), range(300, 315), 30.5),
        # FFmpeg takes that for a wrap.
        (part(1000, 5) + part(20 + WRAP / SECOND, 5), range(10000, 10010), range(10000, 10010), 1000.5),
        # Ahead by hours, and back.
        (part(0, 5) + part(18000, 5) + part(3, 5), range(15), range(15), 0.5),
        # Video alone.
        (part(500, 5, sound=None) + part(10, 5, sound=None), range(5000, 5010), (), 500.5),
        # Sound that is late stays so, and nothing overlaps.
        (
            part(1000, 5, sound=0.3) + part(20, 5),
            [*range(10000, 10005), *range(10008, 10013)],
            range(10003, 10013),
            1000.8,
        ),
        # A wrap, and two of them.
        (part(-0.3, 3) + part(0, 3), range(-3, 3), range(-3, 3), None),
        (part(WRAP / SECOND - 0.3, 3) + part(0, 3), *[range(954437 + 174, 954437 + 180)] * 2, None),
        # The signal was lost for a while.
        (part(0, 5) + part(30, 5), [*range(5), *range(300, 305)], [*range(5), *range(300, 305)], None),
        # A still picture.
        (
            part(0, 3) + [packet(1, STEP * n) for n in range(3, 40)] + part(100, 5, sound=-96),
            [0, 1, 2, *range(1000, 1005)],
            [*range(45)],
            None,
        ),
        # Lengths that are wrong, as those of video whose header states a frame rate that is too low.
        (
            [packet(n % 2, (n // 2) * STEP, duration=STEP * (1 if n % 2 else 9)) for n in range(40)],
            range(20),
            range(20),
            None,
        ),
        # One wrong time.
        ([*part(0, 5), packet(0, 9**9), packet(1, 5 * STEP), *part(0.6, 5)], range(11), range(11), None),
    ],
)
def test_the_clock_runs_on(packets, video, sound, moved):
    if any(p.dts > WRAP - SECOND for p in packets[:2]):
        start = WRAP - round(0.3 * SECOND)
        expected = [round((start + n * STEP) / STEP, 6) for n in range(6)]
        assert run(packets)[:2] == (expected, expected)
        return
    found = run(packets)
    assert found[:2] == (list(video), list(sound))
    assert found[2].moved_from == (None if moved is None else Fraction(round(moved * 10), 10))


def test_pictures_shown_late_do_not_overlap():
    first = [packet(0, STEP * n, pts=STEP * (n + 2), duration=STEP) for n in range(5)]
    second = [packet(0, 900 * STEP + STEP * n) for n in range(5)]
    clock = Clock(SimpleNamespace(format=SimpleNamespace(name="mpegts")), 0)  # pyright: ignore
    shown = [p.pts // STEP for p in clock([*first, *second])]
    assert shown == list(range(2, 12))


def test_a_pts_of_the_next_part_is_dropped_in_a_program_stream():
    packets = [*part(0, 4, sound=None), packet(0, 4 * STEP, pts=18000 * SECOND), *part(18000, 4, sound=None)]
    assert run(packets, "mpeg")[0] == list(range(9))
    assert packets[4].pts is None


def test_subtitles_belong_to_the_part_that_is_nearest():
    text = [packet(2, 10 * STEP + 1000 * SECOND, kind="subtitle"), packet(2, 20 * SECOND, kind="subtitle")]
    found = run([*part(1000, 9), text[0], *part(20, 9), text[1]])[2]
    assert found.moved_from is not None
    assert [p.pts for p in text] == [1001 * SECOND, 1000 * SECOND + 9 * STEP]
