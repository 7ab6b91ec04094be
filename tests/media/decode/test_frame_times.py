"""The numbers and times of frames, from packets: as those that a decoder delivers."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.clips import pattern, write
from vidrestore.media.decode import frame_times
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.decode.frame_times import first_number, frame_ticks, span_start
from vidrestore.media.timeline import Span

#: Frames with B-frames between them, so that packets are not in the order in which they are shown.
TIMES = [0, 40, 80, 200, 240, 280, 320, 400, 440, 480]
KINDS = {
    "late.mkv": {"times": [500 + t for t in TIMES], "time_base": Fraction(1, 1000), "audio": 1},
    "variable.mp4": {"times": TIMES, "time_base": Fraction(1, 1000)},
    "stream.ts": {"times": [90 * t for t in TIMES], "time_base": Fraction(1, 90000), "audio": 1},
    "old.avi": {"codec": "mpeg4", "options": {"bf": "2"}},
    "web.webm": {
        "codec": "libvpx",
        "options": {"auto-alt-ref": "1", "lag-in-frames": "8", "arnr-maxframes": "3"},
    },
}


@pytest.fixture(params=KINDS)
def clip(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    frames = [pattern(k, 64, 48, "yuv420p") for k in range(10)]
    return write(tmp_path / request.param, frames, **KINDS[request.param])


@pytest.mark.parametrize("skipped", [0, 1, 4, 9])
def test_the_number_of_the_first_frame_of_a_span(clip: Path, skipped: int) -> None:
    with Decoder(clip) as whole:
        times = [frame.time for frame in whole]
        begin = whole.timeline.begin
    assert len(times) == 10
    for start in {times[skipped] - begin, max(Fraction(0), times[skipped] - begin - Fraction(1, 1000))}:
        with Decoder(clip, Span(start)) as part:
            assert part.first.time == times[skipped]
            assert first_number(part) == skipped


def test_the_place_of_a_frame(clip: Path) -> None:
    with Decoder(clip) as whole:
        times = [frame.time for frame in whole]
    told = span_start(clip, 6)
    if clip.suffix in (".avi", ".webm"):
        assert told is None
        assert frame_ticks(clip) is None
        return
    assert told is not None
    with Decoder(clip, Span(told)) as part:
        assert part.first.time == times[6]
    assert span_start(clip, 10) is None


def test_numbered_images(tmp_path: Path) -> None:
    frames = [pattern(k, 64, 48, "yuv420p") for k in range(3)]
    for number, frame in enumerate(frames, 7):
        frame.to_image().save(tmp_path / f"{number:03}.png")
    images = tmp_path / "%03d.png"
    ticks = frame_ticks(images)
    assert ticks is not None
    assert ticks.tolist() == [0, 1, 2]
    with Decoder(images, Span(Fraction(1, 25)), rate=Fraction(25)) as part:
        assert first_number(part) == 1


def test_packets_are_read_once(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By several views of one file, but anew once it has changed."""
    frame_ticks(clip)
    opened: list[Path] = []
    actual = frame_times.open_input
    monkeypatch.setattr(frame_times, "open_input", lambda path: opened.append(path) or actual(path))
    frame_ticks(clip)
    assert not opened
    with clip.open("ab") as file:
        file.write(b"\0" * 8)
    frame_ticks(clip)
    assert opened == [clip]
