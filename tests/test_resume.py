"""Runs that are cut short: what they leave, and that the next one ends as if nothing had been."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from skimage import data as pictures

from tests.support import reader
from tests.support.clips import pattern, write
from tests.support.platforms import posix
from tests.support.tiny import save_weights
from vidrestore.analysis import analyze_video
from vidrestore.errors import InputError, OutputError
from vidrestore.faces.tracking.live_source import LiveSource
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.media.frames.thumbnails import Thumbnails
from vidrestore.options import Options
from vidrestore.pipeline import restore_video
from vidrestore.report import Report
from vidrestore.stages.restoration import CONTEXT

COUNT, LENGTH = 130, 10  #: frames: more than what a frame to be written hangs on, so that states count
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face that drifts, with sound, and the weights of a quick network."""
    folder = tmp_path_factory.mktemp("resume")
    frames = []
    for i in range(COUNT):
        picture = pictures.astronaut()[20:260, 60 + i : 300 + i]
        if i in (31, 32, 50):  # for the gaps between detections
            picture = picture[::-1]
        frames.append(
            av.VideoFrame.from_ndarray(picture.copy(), format="rgb24").reformat(160, 160, "yuv420p")
        )
    write(folder / "in.mp4", frames, audio=1)
    write(folder / "mask.mkv", [bar(i) for i in range(COUNT)], codec="ffv1")
    save_weights(folder / "tiny.safetensors")
    analyze_video(Options(input=folder / "in.mp4", output=folder / "tracks.json"))
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> Report:
    """The report of a run that nothing stopped, and its OUT, ``whole.mkv`` in ``folder``."""
    return restore_video(options(folder, folder / "whole.mkv"), segment_length=LENGTH)


def bar(number: int) -> av.VideoFrame:
    """A frame of a mask: a bar over the face that moves down."""
    frame = av.VideoFrame.from_ndarray(np.zeros((160, 160), np.uint8), format="gray")
    plane_views(frame)[0][60 + number // 5 : 70 + number // 5] = 255
    return frame


def options(folder: Path, out: Path, **settings: Any) -> Options:
    given = {"input": folder / "in.mp4", "weights": folder / "tiny.safetensors", "codec": "ffv1"}
    given["precision"] = "fp32"
    return Options(output=out, min_face=0, max_sharpness=0, **given | settings)


def digests(path: Path) -> list[tuple[Fraction, str]]:
    return [(line.time, line.digest) for line in reader.frames(path)]


def stop_after(frames: int) -> Callable[[int, int], None]:
    def progress(done: int, faces: int) -> None:
        if done == frames:
            raise KeyboardInterrupt

    return progress


def cut_short(given: Options, after: int) -> BaseException:
    with pytest.raises(KeyboardInterrupt) as caught:
        restore_video(given, stop_after(after), segment_length=LENGTH)
    assert not given.output.exists()
    return caught.value


@pytest.mark.parametrize(
    ("settings", "stops"),
    [
        pytest.param({}, (115,), id="found now"),
        pytest.param({}, (5, 34, COUNT), id="found now, stopped elsewhere", marks=pytest.mark.slow),
        pytest.param({"tracks": "tracks.json"}, (115,), id="recorded", marks=pytest.mark.slow),
        pytest.param(
            {"start": Fraction(1, 2), "end": Fraction(5)}, (107,), id="a part", marks=pytest.mark.slow
        ),
        pytest.param(
            {"steady": "none", "w": "auto"}, (117,), id="nothing held steady", marks=pytest.mark.slow
        ),
        pytest.param(
            {"task": "inpaint", "mask": "mask.mkv", "upscale": 2},
            (115,),
            id="holes of a mask, enlarged",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_run_cut_short_ends_as_if_it_had_not_been(folder, whole, tmp_path, monkeypatch, settings, stops):
    settings = settings | {name: folder / settings[name] for name in ("tracks", "mask") if name in settings}
    out = folder / "whole.mkv"
    if settings:
        out = tmp_path / "whole.mkv"
        whole = restore_video(options(folder, out, **settings), segment_length=LENGTH)
    assert whole.faces > 0.8 * whole.frames
    seen = []
    real = Thumbnails.__call__
    monkeypatch.setattr(
        Thumbnails, "__call__", lambda self, frame: seen.append(frame.index) or real(self, frame)
    )
    for stop in stops:
        given = options(folder, tmp_path / f"{stop}.mkv", **settings)
        error = cut_short(given, min(stop, whole.frames))
        kept = min(stop, whole.frames) // LENGTH * LENGTH
        assert bool(kept) == any(str(kept) in note for note in getattr(error, "__notes__", []))
        seen.clear()
        report = restore_video(given, segment_length=LENGTH)
        assert report.resumed == kept
        # Nothing is looked at again but what the first frame to be written hangs on.
        assert not seen or min(seen) == max(0, kept - CONTEXT)
        assert (report.frames, report.faces, report.tracks) == (whole.frames, whole.faces, whole.tracks)
        assert digests(given.output) == digests(out)
        assert reader.packets(given.output, "0:a") == reader.packets(out, "0:a")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_state_that_is_damaged_costs_time_alone(folder, whole, tmp_path, monkeypatch):
    """Faces are looked for from the beginning again, and all segments are taken as they are."""
    given = options(folder, tmp_path / "o.mkv")
    cut_short(given, 115)
    state = tmp_path / ".o.mkv.vidrestore" / "0000000110.json"
    state.write_bytes(state.read_bytes()[:100])
    seen = []
    real = Thumbnails.__call__
    monkeypatch.setattr(
        Thumbnails, "__call__", lambda self, frame: seen.append(frame.index) or real(self, frame)
    )
    report = restore_video(given, segment_length=LENGTH)
    assert (report.resumed, report.frames, report.tracks) == (110, COUNT, whole.tracks)
    assert min(seen) == 0
    assert digests(given.output) == digests(folder / "whole.mkv")


def stops(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def fills_the_disk(*_: Any) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("target", "fault", "error"),
    [
        ("vidrestore.media.output.segment_writer.SegmentWriter.write", stops, KeyboardInterrupt),
        ("vidrestore.media.remux.muxer.Muxer.mux", fills_the_disk, OutputError),
        ("vidrestore.media.remux.muxer.Muxer.finish", fills_the_disk, OutputError),
        (None, fills_the_disk, OSError),
    ],
    ids=["stopped", "full", "full at the end", "failed when complete"],
)
def test_a_failed_run_leaves_the_old_out_and_the_input(folder, tmp_path, monkeypatch, target, fault, error):
    given = options(folder, tmp_path / "o.mkv", overwrite=True, duration=Fraction(1))
    given.output.write_bytes(b"old")
    before = given.input.read_bytes(), given.input.stat().st_mtime_ns
    complete = {} if target else {"complete": fault}
    with monkeypatch.context() as patch:
        if target:
            patch.setattr(target, fault)
        with pytest.raises(error):
            restore_video(given, segment_length=LENGTH, **complete)
    assert given.output.read_bytes() == b"old"
    restore_video(given, segment_length=LENGTH)
    assert len(reader.frames(given.output)) == 25
    assert (given.input.read_bytes(), given.input.stat().st_mtime_ns) == before
    assert [path.name for path in tmp_path.iterdir()] == ["o.mkv"]


def test_a_run_killed_while_it_joins_has_nothing_to_restore_again(folder, tmp_path, monkeypatch):
    given = options(folder, tmp_path / "o.mkv", duration=Fraction(1))
    with monkeypatch.context() as patch:
        patch.setattr(
            "vidrestore.media.remux.muxer.Muxer.finish", lambda self: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            restore_video(given, segment_length=LENGTH)
    assert not given.output.exists()
    with monkeypatch.context() as patch:
        patch.setattr(LiveSource, "stream", None)
        patch.setattr(Decoder, "__iter__", None)
        report = restore_video(given, segment_length=LENGTH)
    assert (report.frames, report.resumed) == (25, 25)
    assert len(reader.frames(given.output)) == 25


@pytest.fixture(scope="module")
def begun(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output that a run was stopped at after two segments."""
    out = tmp_path_factory.mktemp("begun") / "o.mkv"
    cut_short(options(folder, out), 25)
    return out


def copied(begun: Path, to: Path) -> Path:
    state = to / f".{begun.name}.vidrestore"
    state.mkdir()
    for path in begun.with_name(state.name).iterdir():
        (state / path.name).write_bytes(path.read_bytes())
    return to / begun.name


CHANGES: dict[str, tuple[dict[str, Any], str | None]] = {
    "nothing": ({}, None),
    "how it is run": ({"batch": 2, "overwrite": True, "resume": True}, None),
    "w": ({"w": 0.7}, "--w has changed since the last run (0.5, now 0.7)"),
    "w of a track": ({"track_w": ((1, 0.25),)}, "--track-w has changed"),
    "the part": ({"duration": Fraction(2)}, "-t has changed"),
    "the encoder": ({"codec": "libx264"}, "the encoder has changed"),
    "the encoder's options": ({"encoder_options": (("slices", "4"),)}, "the encoder has changed"),
    "the model": ({"weights": None, "model": "lite"}, "the model has changed"),
    "the faces": ({"tracks": "tracks.json"}, "the tracks file has changed"),
    "the precision": ({"precision": "bf16"}, "the precision has changed"),
}


@pytest.mark.parametrize(("settings", "said"), CHANGES.values(), ids=CHANGES.keys())
def test_what_frames_depend_on_starts_over(folder, begun, tmp_path, caplog, monkeypatch, settings, said):
    if "tracks" in settings:
        settings = settings | {"tracks": folder / settings["tracks"]}
    given = options(folder, copied(begun, tmp_path), **settings)
    caplog.set_level(logging.INFO, "vidrestore")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vidrestore.pipeline.track_faces", stop)
    with pytest.raises(KeyboardInterrupt):
        restore_video(given, segment_length=LENGTH)
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("workfolder")]
    assert len(lines) == 1
    assert (f"starting over: {said}" if said else "resuming after 20 finished frames") in lines[0]
    assert len(list(tmp_path.rglob("*.segment"))) == (0 if said else 2)


def test_another_input_of_the_same_name_starts_over(folder, tmp_path, caplog, monkeypatch):
    """Also one of the same size and time, such as ``rsync -t`` and cameras make."""
    source = tmp_path / "in.mp4"
    source.write_bytes((folder / "in.mp4").read_bytes())
    given = options(folder, tmp_path / "o.mkv", input=source)
    cut_short(given, 25)
    content, times = bytearray(source.read_bytes()), source.stat()
    content[-1] ^= 1  # in what no decoder reads
    source.write_bytes(content)
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    caplog.set_level(logging.INFO, "vidrestore")
    monkeypatch.setattr("vidrestore.pipeline.track_faces", stops)
    with pytest.raises(KeyboardInterrupt):
        restore_video(given, segment_length=LENGTH)
    assert "starting over: the input has changed" in caplog.text
    assert not list(tmp_path.rglob("*.segment"))


def test_an_input_that_has_gone_is_one_sentence_and_the_state_is_kept(folder, begun, tmp_path):
    given = options(folder, copied(begun, tmp_path))
    with pytest.raises(InputError, match=r"gone\.mp4 does not exist"):
        restore_video(replace(given, input=tmp_path / "gone.mp4"), segment_length=LENGTH)
    assert len(list(tmp_path.rglob("*.segment"))) == 2


def test_a_second_run_is_refused_while_the_first_is_there(folder, tmp_path):
    given = options(folder, tmp_path / "o.mkv")

    def progress(frames: int, faces: int) -> None:
        with pytest.raises(OutputError, match="another run is writing"):
            restore_video(given, segment_length=LENGTH)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_video(given, progress, segment_length=LENGTH)


_RUN = f"""
import functools, sys
from vidrestore import pipeline
from vidrestore.__main__ import main
pipeline.restore_video = functools.partial(pipeline.restore_video, segment_length={LENGTH})
sys.exit(main(sys.argv[1:]))
"""


def command(folder: Path, *words: str, **settings: Any) -> subprocess.Popen:
    given = [str(folder / "in.mp4"), *words, "--weights", str(folder / "tiny.safetensors")]
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, *given, "--min-face", "0", "--max-sharpness", "0"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        **settings,
    )


@posix
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_keeps_finished_segments_and_says_how_to_resume(folder, tmp_path, number, code):
    out = tmp_path / "o.mkv"
    state = tmp_path / ".o.mkv.vidrestore"
    run = command(folder, str(out), "-c:v", "ffv1")
    deadline = time.monotonic() + 300
    while not (state / "0000000010.segment").exists() and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run.send_signal(number)
    said = run.communicate(timeout=120)[1].decode().splitlines()
    assert run.returncode == code
    kept = len(list(state.glob("*.segment"))) * LENGTH
    assert kept >= 20
    assert said[-1].endswith(f"ed; {kept} frames are finished and kept: run the same command again to resume")
    assert not out.exists()
    assert not [path for path in state.iterdir() if path.suffix in (".part", ".mkv")]


def test_nothing_to_resume_is_said(folder, tmp_path, caplog):
    caplog.set_level(logging.INFO, "vidrestore")
    given = options(folder, tmp_path / "o.mkv", resume=True, duration=Fraction(1, 5))
    assert restore_video(given).frames == 5
    assert "nothing to resume: starting from the beginning" in caplog.text


@pytest.mark.parametrize("container", ["matroska", pytest.param("mp4", marks=pytest.mark.slow)])
def test_standard_output_carries_the_video_and_nothing_else(folder, tmp_path, container):
    words = ("-", "-t", "1", "-f", container) if container == "mp4" else ("-", "-t", "1")
    run = command(folder, *words, stdout=subprocess.PIPE, cwd=tmp_path)
    content, said = run.communicate(timeout=300)
    assert run.returncode == 0, said
    assert b"standard output: 25 frames" in said
    assert content[:4] == b"\x1a\x45\xdf\xa3" if container == "matroska" else content[4:8] == b"ftyp"
    out = tmp_path / "out"
    out.write_bytes(content)
    times = [line.time for line in reader.frames(folder / "in.mp4")][:25]
    slack = Fraction(1, 1000) if container == "matroska" else 0
    got = [line.time for line in reader.frames(out)]
    assert all(abs(a - b) <= slack for a, b in zip(got, times, strict=True))
    given = [line.digest for line in reader.packets(folder / "in.mp4", "0:a")]
    sound = [line.digest for line in reader.packets(out, "0:a")]
    assert len(sound) > 40
    assert given.index(sound[0]) <= 1  # an encoder's priming is before the part
    assert sound == given[given.index(sound[0]) :][: len(sound)]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@posix
def test_a_broken_pipe_is_one_sentence(folder, tmp_path):
    source = write(tmp_path / "in.mkv", [pattern(i, 320, 240, "yuv420p") for i in range(60)], codec="ffv1")
    (tmp_path / "tiny.safetensors").write_bytes((folder / "tiny.safetensors").read_bytes())
    source.rename(tmp_path / "in.mp4")
    run = command(tmp_path, "-", "-c:v", "ffv1", stdout=subprocess.PIPE)
    run.stdout.read(100)
    run.stdout.close()
    said = run.stderr.read().decode()
    assert run.wait(120) == 1
    lines = [line for line in said.splitlines() if "error" in line]
    assert len(lines) == 1
    assert lines[0].endswith("standard output cannot be written: Broken pipe"), said
    assert "Traceback" not in said
