"""A decoder delivers the frames of a span at their times, and resumes after any of them."""

from __future__ import annotations

import gc
from fractions import Fraction
from pathlib import Path

import pytest
from av.video.frame import VideoFrame

from tests.support import reader
from tests.support.clips import pattern, write
from tests.support.frames import LOSSLESS, pass_through, synthetic
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.decode.fingerprint import FrameFingerprint
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.timeline import Span


@pytest.mark.parametrize(
    "container", ["avi", "ts", "mpg", "flv", "wmv", "mkv", "webm", "y4m", "gif", "nut", "h264"]
)
def test_every_container_delivers_all_frames_at_their_times(tmp_path, container):
    codecs = {"wmv": ("-c:v", "wmv2"), "webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime"), "mpg": ()}
    words = codecs.get(container, ())
    source = synthetic(tmp_path / f"in.{container}", "testsrc2=s=64x48:r=25", "-frames:v", 30, *words)
    out = pass_through(source, tmp_path / "out.mov", EncoderSettings(codec="libx264", preset="ultrafast"))
    given, got = reader.frames(source), reader.frames(out)
    assert len(got) == len(given) == 30
    if container not in ("h264",):  # its frames have no timestamps
        assert [line.time for line in got] == [line.time for line in given]
    else:
        assert [line.time for line in got] == [got[0].time + Fraction(i, 25) for i in range(30)]


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "libx264"), ("mkv", "libx265"), ("ts", "libx264"), ("avi", "mpeg4"), ("y4m", None)],
)
def test_a_span_has_the_frames_of_its_time(tmp_path, container, codec):
    words = ("-c:v", codec, "-bf", "0") if codec else ()
    source = synthetic(tmp_path / f"in.{container}", "testsrc2=s=64x48:r=25", "-frames:v", 60, *words)
    span = Span(Fraction(1), Fraction(2))
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, span)
    whole = reader.frames(source)
    wanted = [f for f in whole if whole[0].time + 1 <= f.time < whole[0].time + 2]
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in wanted]
    assert reader.frames(out)[0].time == 0


def test_a_frame_that_is_done_leaves_memory_at_once(tmp_path):
    """Not only when Python looks for circles of references: 4K has hundreds of frames of 12 MB until then."""
    words = ("-metadata:s:v", "timecode=01:00:00:00", "-bf", "0")
    source = synthetic(
        tmp_path / "in.mov", "testsrc2=s=64x48:r=25", "-frames:v", 20, "-c:v", "libx264", *words
    )
    gc.collect()
    before, kept = _pictures(), 0
    gc.disable()
    try:
        with Decoder(source) as decoder:
            for frame in decoder:
                kept = max(kept, _pictures() - before)
                assert frame.turns == 0
    finally:
        gc.enable()
    assert kept <= 6, "of 20: those that are read ahead"


def _pictures() -> int:
    return sum(type(each) is VideoFrame for each in gc.get_objects())


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
    "no index": ("in.264", {}),
}


def fingerprints(frames: list) -> list[FrameFingerprint]:
    return [FrameFingerprint.of(frame.index, frame.video) for frame in frames]


@pytest.mark.parametrize("span", [Span(), Span(Fraction(3, 2), Fraction(9, 2))], ids=["whole", "part"])
@pytest.mark.parametrize(("name", "settings"), CLIPS.values(), ids=CLIPS.keys())
def test_resuming_delivers_the_frames_after_a_fingerprint(
    tmp_path: Path, name: str, settings: dict, span: Span
) -> None:
    source = write(tmp_path / name, [pattern(i, 64, 48, "yuv420p") for i in range(LENGTH)], **settings)
    if name == "in.264" and not span.whole:
        pytest.skip("cannot seek without an index")
    with Decoder(source, span, context=2) as decoder:
        frames = fingerprints(list(decoder))
        wanted = [fingerprint for fingerprint in frames if fingerprint.index >= 0]
    for place in (0, 1, 20, len(wanted) // 2, len(wanted) - 4):
        with Decoder(source, span, context=2) as decoder:
            decoder.resume_after(wanted[place])
            assert fingerprints(list(decoder)) == wanted[place + 1 :]


@pytest.mark.parametrize("how", ["auto", "bwdif"])
def test_resuming_in_deinterlaced_video(tmp_path: Path, how: str) -> None:
    """A frame depends on those beside it."""
    source = synthetic(
        tmp_path / "in.mp4",
        "testsrc2=s=96x64:r=50,tinterlace=interleave_top,setfield=tff",
        *("-frames:v", 100, "-c:v", "libx264", "-flags", "+ildct+ilme", "-g", 12),
    )
    with Decoder(source, deinterlace=how) as decoder:
        assert decoder.deinterlaces
        wanted = fingerprints(list(decoder))
    assert len(wanted) == 100
    for place in (0, 1, 60, 97):
        with Decoder(source, deinterlace=how) as decoder:
            decoder.resume_after(wanted[place])
            assert fingerprints(list(decoder)) == wanted[place + 1 :]


def test_resuming_in_another_video_counts_frames(tmp_path: Path) -> None:
    """If the frame is not found again, frames are counted from the beginning."""
    one, other = (
        write(tmp_path / f"{first}.mp4", [pattern(i + first, 64, 48, "yuv420p") for i in range(20)])
        for first in (0, 7)
    )
    with Decoder(one) as decoder:
        last = fingerprints(list(decoder))[4]
    with Decoder(other) as decoder:
        expected = fingerprints(list(decoder))[5:]
    with Decoder(other) as decoder:
        decoder.resume_after(last)
        assert fingerprints(list(decoder)) == expected
