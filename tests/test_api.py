"""The front door: ``import vidrestore`` and its functions."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import pytest

import vidrestore
from tests.support import reader
from tests.support.clips import decode, write
from tests.support.platforms import posix
from tests.support.runs import face_frame


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    frames = [face_frame(320, 240, "yuv420p", shift=2 * i) for i in range(6)]
    return write(tmp_path_factory.mktemp("api") / "in.mp4", frames, rate=Fraction(25), audio=1)


GIVEN = {"model": "lite", "min_face": 0, "max_sharpness": 0}


def test_every_public_name_is_there():
    assert set(vidrestore.__all__) <= set(dir(vidrestore))
    for name in vidrestore.__all__:
        assert getattr(vidrestore, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'restorr'"):
        _ = vidrestore.restorr


def test_names_stay_functions_whatever_is_imported():
    code = (
        "import vidrestore, vidrestore.cli, vidrestore.api, vidrestore.stages.models, vidrestore.measure\n"
        "assert all(callable(getattr(vidrestore, name)) for name in vidrestore.__all__)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_is_light_and_changes_nothing_of_the_process():
    code = (
        "import os, sys\nbefore = dict(os.environ)\nimport vidrestore\n"
        "assert os.environ == before\n"
        "assert not {'torch', 'av', 'cv2', 'numpy'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_restore(clip, tmp_path):
    seen = []
    report = vidrestore.restore(
        str(clip), tmp_path / "out.mkv", w=0.3, progress=lambda *done: seen.append(done), **GIVEN
    )
    assert (report.frames, report.faces, report.tracks, report.model) == (6, 6, 1, "lite")
    assert report.output == tmp_path / "out.mkv"
    assert report.warning is None
    assert seen == [(i, i) for i in range(1, 7)]
    assert str(report).startswith(f"{tmp_path / 'out.mkv'}: 6 frames, 6 faces, 1 tracks in ")
    assert len(reader.frames(tmp_path / "out.mkv")) == 6


def test_options_have_the_names_of_the_command_line(clip, tmp_path):
    given = {"c:v": "ffv1", "ss": "0.04", "t": 0.08, "y": True, "encoder_opt": {"level": 3}}
    (tmp_path / "out.mkv").write_bytes(b"old")
    assert vidrestore.restore(clip, tmp_path / "out.mkv", **GIVEN, **given).frames == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"w": 2}, vidrestore.UsageError, "--w must be between 0 and 1"),
        ({"wow": 1}, vidrestore.UsageError, "there is no option 'wow'"),
        ({"min_face": "small"}, vidrestore.UsageError, "--min-face cannot be 'small'"),
        ({"src": "gone.mp4"}, vidrestore.InputError, r"gone\.mp4 does not exist"),
        ({"src": None}, vidrestore.UsageError, "no IN is given"),
        ({"input": "other.mp4"}, vidrestore.UsageError, "input is given twice"),
        ({"dry_run": True}, vidrestore.UsageError, "call vidrestore.plan"),
        ({"dst": "out.docx"}, vidrestore.UsageError, r"out\.docx"),
    ],
)
def test_bad_values_are_one_sentence(clip, tmp_path, monkeypatch, options, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message) as caught:
        vidrestore.restore(**{"src": clip, "dst": "out.mp4", "model": "lite"} | options)
    assert isinstance(caught.value, vidrestore.VidrestoreError)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_frames_without_a_file_are_those_of_a_lossless_one(clip, tmp_path):
    vidrestore.restore(clip, tmp_path / "out.mkv", codec="ffv1", **GIVEN)
    frames = list(vidrestore.restored_frames(clip, **GIVEN))
    assert [frame.index for frame in frames] == list(range(6))
    assert [frame.time for frame in frames] == [Fraction(i, 25) for i in range(6)]
    for frame, written in zip(frames, decode(tmp_path / "out.mkv"), strict=True):
        assert (frame.video.to_ndarray() == written.to_ndarray()).all()


def test_an_iteration_that_is_given_up_leaves_no_thread(clip):
    frames = vidrestore.restored_frames(clip, **GIVEN)
    next(frames)
    frames.close()
    assert [thread.name for thread in threading.enumerate() if thread.name in ("decode", "paste")] == []


def test_analyze_then_restore_a_track(clip, tmp_path):
    analysis = vidrestore.analyze(clip, tmp_path / "tracks.json")
    assert (analysis.frames, list(analysis.tracks)) == (6, [1])
    report = vidrestore.restore(
        clip, tmp_path / "out.mkv", tracks=tmp_path / "tracks.json", track_w={1: 0.9}, **GIVEN
    )
    assert report.faces == 6


def test_plan_is_text_and_data(clip, tmp_path):
    plan = vidrestore.plan(clip, tmp_path / "out.mkv", model="lite")
    assert f"would write {tmp_path / 'out.mkv'}" in str(plan)
    assert plan.data["model"] == plan.setup.restorer.model == "lite"
    assert not (tmp_path / "out.mkv").exists()


@posix
def test_a_named_pipe_is_read(clip, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(clip.read_bytes()))
    writer.start()
    assert [frame.index for frame in vidrestore.restored_frames(pipe, **GIVEN)] == list(range(6))
    writer.join()


def test_options_of_an_iterator_are_checked_at_once():
    with pytest.raises(vidrestore.UsageError, match="there is no option 'wow'"):
        vidrestore.restored_frames("in.mp4", wow=1)


def test_probe(clip):
    assert [stream["type"] for stream in vidrestore.probe(str(clip))["streams"]] == ["video", "audio"]


def test_load_restorer():
    restorer = vidrestore.load_restorer("lite", device="cpu")
    assert isinstance(restorer, vidrestore.Restorer)
    # A name with a dot is not taken for a file.
    with pytest.raises(vidrestore.WeightsError, match=r"the weights gfpgan-1\.4 are not in"):
        vidrestore.load_restorer("gfpgan-1.4", device="cpu")
    with pytest.raises(vidrestore.WeightsError, match=r"mine\.pth does not exist"):
        vidrestore.load_restorer("mine.pth", device="cpu")
