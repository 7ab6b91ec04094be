"""The whole pipeline on real faces: what changes, what does not, and what is reported."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support import reader
from tests.support.clips import decode, pattern, write
from tests.support.frames import synthetic
from tests.support.runs import face_frame, run
from vidrestore.__main__ import main
from vidrestore.media.frames.pixel_format import plane_views

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture(scope="module")
def face_clip(tmp_path_factory) -> Path:
    """Ten frames with one soft face that moves, and two audio tracks."""
    folder = tmp_path_factory.mktemp("face")
    small = [face_frame(128, 96, "yuv420p", shift=2 * i) for i in range(10)]
    frames = [frame.reformat(320, 240) for frame in small]
    # Without these x264 makes another clip in each session: its decisions differ from run to run.
    same = {"threads": "4", "x264-params": "cpu-independent=1"}
    return write(folder / "face.mp4", frames, audio=2, rate=Fraction(30000, 1001), options=same)


def test_the_main_job(face_clip, tmp_path, capsys):
    """One command restores faces, keeps timestamps and audio, and prints a summary."""
    out = tmp_path / "out.mp4"
    assert main([str(face_clip), str(out), "--w", "0.5", "--model", "lite"]) == 0
    closing = capsys.readouterr().err.splitlines()[-1]
    found = re.search(
        r"10 frames, (\d+) faces, (\d+) tracks in [\d.]+ s \([\d.]+ frames/s\) with lite", closing
    )
    assert found, closing
    assert found.groups() == ("10", "1")
    assert [f.time for f in reader.frames(out)] == [f.time for f in reader.frames(face_clip)]
    for track in ("0:a:0", "0:a:1"):
        assert reader.packets(out, track) == reader.packets(face_clip, track)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4"]


def test_frames_without_faces_are_untouched(tmp_path, capsys):
    source = write(
        tmp_path / "in.mkv", [pattern(i, 160, 120, "yuv420p") for i in range(20)], codec="ffv1", audio=1
    )
    out = tmp_path / "out.mkv"
    assert main([str(source), str(out), "--model", "lite"]) == 0
    assert "no faces were found" in capsys.readouterr().err
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]


@pytest.mark.parametrize(("how", "is_said"), [("auto", True), ("bwdif", False), ("off", False)])
def test_that_frames_are_deinterlaced_is_said(tmp_path, capsys, how, is_said):
    source = synthetic(
        tmp_path / "in.mp4",
        "testsrc2=s=96x64:r=50,tinterlace=interleave_top,setfield=tff",
        *("-frames:v", 4, "-c:v", "libx264", "-flags", "+ildct+ilme"),
    )
    assert main([str(source), str(tmp_path / "out.mkv"), "--model", "lite", "--deinterlace", how]) == 0
    said = "in.mp4 is interlaced, and is deinterlaced: --deinterlace off keeps its fields"
    assert (said in capsys.readouterr().err) == is_said


@pytest.mark.parametrize(
    "options", [["--strength", "0"], ["--max-sharpness", "0.1"], ["--min-face", "300"]], ids=lambda o: o[0]
)
def test_skipped_faces_are_untouched(face_clip, tmp_path, capsys, options):
    out = tmp_path / "out.mkv"
    assert main([str(face_clip), str(out), "--model", "lite", "-c:v", "ffv1", *options]) == 0
    assert "every face was skipped" in capsys.readouterr().err
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(face_clip)]


def test_half_the_strength_is_half_the_change(face_clip, tmp_path):
    luma = {}
    for strength in (0.5, 1.0):
        out = tmp_path / f"{strength}.mkv"
        run(face_clip, out, strength=strength, codec="ffv1")
        luma[strength] = decode(out)[5].to_ndarray(format="gray").astype(int)
    before = decode(face_clip)[5].to_ndarray(format="gray").astype(int)
    whole, half = luma[1.0] - before, luma[0.5] - before
    assert np.abs(whole).max() > 4
    assert np.abs(2 * half - whole).max() <= 3


@pytest.mark.parametrize(("width", "height"), [(321, 241), (99, 75)])
def test_odd_sizes(tmp_path, width, height):
    frames = [face_frame(width, height, "yuv444p", shift=2 * i) for i in range(4)]
    source = write(tmp_path / "in.mp4", frames)
    report = run(source, tmp_path / "out.mp4")
    assert (report.frames, report.faces) == (4, 4)
    assert (decode(tmp_path / "out.mp4")[0].width, decode(tmp_path / "out.mp4")[0].height) == (width, height)


@pytest.mark.slow
def test_a_4k_frame(tmp_path):
    frames = [face_frame(3840, 2160, "yuv420p", shift=2 * i) for i in range(4)]
    source = write(tmp_path / "in.mp4", frames, options={"preset": "ultrafast"})
    report = run(source, tmp_path / "out.mp4", preset="ultrafast")
    assert (report.frames, report.faces) == (4, 4)


def test_a_rotated_video_is_restored_as_stored(tmp_path):
    """A phone's portrait video: stored frames lie on their side, and faces are detected all the same."""
    frames = []
    for i in range(4):
        upright = face_frame(240, 320, "gray", shift=2 * i)
        stored = av.VideoFrame(320, 240, "gray")
        plane_views(stored)[0][...] = np.rot90(plane_views(upright)[0], -1)
        frames.append(stored)
    source = write(tmp_path / "in.mp4", frames, rotation=90)
    report = run(source, tmp_path / "out.mp4")
    assert report.faces == 4
    restored = decode(tmp_path / "out.mp4")
    assert restored[0].rotation == decode(source)[0].rotation
    assert (restored[0].width, restored[0].height) == (320, 240)


def test_a_part(face_clip, tmp_path):
    assert (
        main([str(face_clip), str(tmp_path / "o.mp4"), "-ss", "0.1", "-t", "0.2", "--model", "lite", "-q"])
        == 0
    )
    assert len(reader.frames(tmp_path / "o.mp4")) == 6


@pytest.mark.parametrize("name", ["portrait.mp4", "scenes.mkv"])
@pytest.mark.slow
def test_samples(tmp_path, name):
    out = tmp_path / name
    assert run(SAMPLES / name, out).faces > 30
    assert len(reader.frames(out)) == len(reader.frames(SAMPLES / name))
