"""Interlaced video is detected, and deinterlaced frame for frame or left alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support import reader
from tests.support.frames import LOSSLESS, pass_through, synthetic
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.decode.deinterlace import find_scan
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.timeline import Span


def interlaced(path: Path, order: str, *, flagged: bool) -> Path:
    """A moving pattern whose fields are 1/50 s apart."""
    weave = "interleave_top" if order == "tff" else "interleave_bottom"
    field = order if flagged else "prog"
    coded = ("-flags", "+ildct+ilme") if flagged else ()
    return synthetic(
        path,
        f"testsrc2=s=352x288:r=50,scale=720:576,tinterlace={weave},setfield={field}",
        *("-frames:v", 30, "-c:v", "libx264", "-crf", 10, *coded),
    )


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize("flagged", [True, False])
def test_interlaced_video_becomes_progressive_frame_for_frame(tmp_path, order, flagged):
    source = interlaced(tmp_path / "in.mp4", order, flagged=flagged)
    with Decoder(source, deinterlace="auto") as decoder:
        assert decoder.scan.flagged == flagged
        assert decoder.scan.measured == (None if flagged else order)
    out = pass_through(
        source, tmp_path / "out.mp4", EncoderSettings(crf=1, preset="ultrafast"), deinterlace="auto"
    )
    timed = [(f.time, f.duration) for f in reader.frames(source)]
    assert [(f.time, f.duration) for f in reader.frames(out)] == timed
    assert reader.show(out).field == "P"
    assert combed(out) < combed(source) / 4
    # Deinterlaced video is not detected as interlaced again.
    with Decoder(out, deinterlace="auto") as decoder:
        assert not decoder.scan.interlaced


@pytest.mark.parametrize("key_frames", [(), ("-g", 300, "-sc_threshold", 0)], ids=["where it begins", "one"])
def test_a_tape_that_begins_with_black_is_measured_where_it_moves(tmp_path, key_frames):
    black = "color=black:s=720x576:r=25:d=2.4,setfield=prog"
    moving = "testsrc2=s=352x288:r=50:d=3,scale=720:576,tinterlace=interleave_top,setfield=prog,setsar=1"
    source = synthetic(
        tmp_path / "in.mp4",
        f"{black},setsar=1[a];{moving}[b];[a][b]concat",
        *("-c:v", "libx264", "-crf", 10, "-preset", "ultrafast", *key_frames),
    )
    assert find_scan(source).measured == "tff"


def combed(path: Path) -> float:
    """The share of samples that differ from the line above and the line below in opposite directions."""
    y = (
        np.frombuffer(reader.planes(path, "yuv420p", (720, 576))[12], np.uint8)[: 720 * 576]
        .reshape(576, 720)
        .astype(int)
    )
    above, below = y[1:-1] - y[:-2], y[2:] - y[1:-1]
    return float((above * below < -100).mean())


def test_interlaced_video_stays_interlaced_if_deinterlacing_is_off(tmp_path):
    source = interlaced(tmp_path / "in.mp4", "tff", flagged=True)
    settings = EncoderSettings(crf=0, preset="ultrafast")
    out = pass_through(source, tmp_path / "out.mp4", settings)
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]
    assert reader.show(out).field == reader.show(source).field == "T"
    assert "top first" in reader.describe(out) or "top coded first" in reader.describe(out)


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize(
    ("name", "size", "codec"),
    [
        ("in.dv", "720:576", ("dvvideo", "-pix_fmt", "yuv420p")),
        ("in.avi", "720:576", ("mpeg4", "-flags", "+ildct+ilme", "-q:v", 2)),
        ("in.mov", "1920:1080", ("dnxhd", "-flags", "+ildct", "-b:v", "120M", "-pix_fmt", "yuv422p")),
    ],
    ids=["DV", "MPEG-4", "DNxHD"],
)
def test_video_whose_frames_alone_say_that_it_is_interlaced_stays_so(tmp_path, name, size, codec, order):
    weave = "interleave_top" if order == "tff" else "interleave_bottom"
    source = synthetic(
        tmp_path / name,
        f"testsrc2=s=352x288:r=50,scale={size},tinterlace={weave},setfield={order}",
        *("-frames:v", 6, "-c:v", *codec),
    )
    with Decoder(source, deinterlace="off") as decoder:
        coded = reader.show(source).field
        assert decoder.scan.flagged
        assert decoder.source.interlaced
        assert decoder.source.field_order == {"T": 2, "B": 3}[coded]
    out = pass_through(source, tmp_path / "out.mp4", EncoderSettings(crf=0, preset="ultrafast"))
    assert reader.show(out).field == coded


@pytest.mark.parametrize(
    ("picture", "is_interlaced"),
    [("gradients=s=720x576:r=25:speed=0.05:seed=1", False), ("color=gray:s=720x576:r=25", True)],
)
def test_flags_of_frames_are_believed_unless_the_frames_say_otherwise(tmp_path, picture, is_interlaced):
    """Every DV camera flags all its frames, also in a mode in which it takes them at once."""
    source = synthetic(
        *(tmp_path / "in.dv", f"{picture},setfield=bff", "-frames:v", 30, "-c:v", "dvvideo"),
        *("-pix_fmt", "yuv420p"),
    )
    with Decoder(source, deinterlace="auto") as decoder:
        assert decoder.deinterlaces == decoder.scan.flagged == is_interlaced
        assert not decoder.source.interlaced
        assert decoder.source.field_order == (1 if is_interlaced else 0)
    with Decoder(source, deinterlace="off") as decoder:
        assert decoder.source.interlaced


def test_progressive_video_is_left_alone(tmp_path):
    source = synthetic(tmp_path / "in.mp4", "mandelbrot=s=720x576:r=25", "-frames:v", 30)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, deinterlace="auto")
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]


def test_a_part_of_an_interlaced_video_has_the_frames_of_the_whole(tmp_path):
    source = interlaced(tmp_path / "in.mp4", "tff", flagged=True)
    whole = reader.frames(pass_through(source, tmp_path / "whole.mkv", LOSSLESS, deinterlace="auto"))
    span = Span(Fraction(2, 5), Fraction(4, 5))
    part = reader.frames(pass_through(source, tmp_path / "part.mkv", LOSSLESS, span, deinterlace="auto"))
    assert [f.digest for f in part] == [f.digest for f in whole[10:20]]
