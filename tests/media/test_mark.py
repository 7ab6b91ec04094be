"""A decoder that goes on behind a frame gives the frames that come behind it, and no others."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.clips import pattern, write
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.decode.fingerprint import FrameFingerprint
from vidrestore.media.timeline import Span

LENGTH = 150
CLIPS = {
    "mp4 with B-frames": ("in.mp4", {}),
    "one key frame": ("in.mp4", {"options": {"g": "999", "sc_threshold": "0"}}),
    "open groups of pictures": ("in.mkv", {"options": {"x264-params": "open-gop=1:keyint=20"}}),
    "ts": ("in.ts", {}),
    "avi": ("in.avi", {"codec": "mpeg4"}),
    "variable rate": (
        "in.mp4",
        {"times": [i * i * 10 for i in range(LENGTH)], "time_base": Fraction(1, 90000)},
    ),
    "webm": ("in.webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}),
    "no way of seeking": ("in.264", {}),
}


def marks(frames: list) -> list[FrameFingerprint]:
    return [FrameFingerprint.of(frame.index, frame.video) for frame in frames]


@pytest.mark.parametrize("span", [Span(), Span(Fraction(3, 2), Fraction(9, 2))], ids=["whole", "part"])
@pytest.mark.parametrize(("name", "settings"), CLIPS.values(), ids=CLIPS.keys())
def test_the_frames_behind_a_mark(tmp_path: Path, name: str, settings: dict, span: Span) -> None:
    source = write(tmp_path / name, [pattern(i, 64, 48, "yuv420p") for i in range(LENGTH)], **settings)
    if name in ("in.264", "in.ts") and not span.whole:
        pytest.skip("no way of seeking without an index")
    with Decoder(source, span, context=2) as decoder:
        frames = marks(list(decoder))
        wanted = [mark for mark in frames if mark.index >= 0]
    for place in (0, 1, 20, len(wanted) // 2, len(wanted) - 4):
        with Decoder(source, span, context=2) as decoder:
            decoder.resume_after(wanted[place])
            assert marks(list(decoder)) == wanted[place + 1 :]


def test_another_video_has_not_that_frame(tmp_path: Path) -> None:
    """Where the frame is not found again, frames are counted from the beginning."""
    one, other = (
        write(tmp_path / f"{first}.mp4", [pattern(i + first, 64, 48, "yuv420p") for i in range(20)])
        for first in (0, 7)
    )
    with Decoder(one) as decoder:
        mark = marks(list(decoder))[4]
    with Decoder(other) as decoder:
        expected = marks(list(decoder))[5:]
    with Decoder(other) as decoder:
        decoder.resume_after(mark)
        assert marks(list(decoder)) == expected
