"""Batches and queues of whole runs: frames do not depend on their sizes, and every run ends."""

from __future__ import annotations

import logging
import re
import signal
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.clips import decode, write
from tests.support.platforms import posix
from tests.support.runs import face_frame, run
from vidrestore import pipeline
from vidrestore.__main__ import main
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.runtime.device import DTYPES
from vidrestore.stages import setup
from vidrestore.stages.models import Models

#: A function of every stage, by the name of the thread that it runs in.
STAGES = {
    "decode": "vidrestore.media.frames.thumbnails.Thumbnails.__call__",
    "detect": "vidrestore.faces.detection.detector.RetinaFaceDetector.__call__",
    "align": "vidrestore.stages.models.align",
    "restore": "vidrestore.stages.models.Models.restore",
    "paste": "vidrestore.stages.models.paste_back",
    "MainThread": "vidrestore.media.encode.encoder.VideoEncoder.encode",
}


@pytest.fixture(autouse=True)
def _no_thread_remains() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert not [thread for thread in threading.enumerate() if thread.name in STAGES and thread not in before]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine frames with one soft face that moves."""
    small = [face_frame(128, 96, "yuv420p", shift=2 * i) for i in range(9)]
    frames = [frame.reformat(320, 240) for frame in small]
    return write(tmp_path_factory.mktemp("clip") / "in.mp4", frames, rate=Fraction(25))


@pytest.fixture(scope="module")
def expected(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[np.ndarray]]:
    return planes(clip, tmp_path_factory.mktemp("expected") / "out.mkv")


def planes(clip: Path, out: Path, **options: object) -> list[list[np.ndarray]]:
    """The planes of the frames that the encoder received."""
    assert run(clip, out, codec="ffv1", precision="fp32", **options).faces == 9
    return [[plane.astype(int) for plane in plane_views(frame)] for frame in decode(out)]


def difference(a: list[list[np.ndarray]], b: list[list[np.ndarray]]) -> int:
    return max(np.abs(x - y).max() for p, q in zip(a, b, strict=True) for x, y in zip(p, q, strict=True))


@pytest.mark.parametrize("batch", [1, pytest.param(4, marks=pytest.mark.slow), 16])
def test_frames_do_not_depend_on_the_batch(clip, expected, tmp_path, batch):
    assert difference(planes(clip, tmp_path / "out.mkv", batch=batch), expected) <= 1


@pytest.mark.parametrize("depth", [1, pytest.param(2, marks=pytest.mark.slow), 16])
def test_frames_do_not_depend_on_the_queues(clip, expected, tmp_path, monkeypatch, depth):
    monkeypatch.setattr(pipeline, "QUEUE_DEPTH", depth)
    assert difference(planes(clip, tmp_path / "out.mkv"), expected) == 0


def test_a_run_continues_when_memory_runs_out(clip, expected, tmp_path, monkeypatch, caplog):
    """Batches of more than two faces run out of memory: no face is lost, and there is one warning."""
    sizes = []

    def short_of_memory(name):
        work = getattr(Models, name)

        def worked(self, faces, **options):
            sizes.append(len(faces))
            if len(faces) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return work(self, faces, **options)

        return worked

    for name in ("observe", "restore"):
        monkeypatch.setattr(Models, name, short_of_memory(name))
    with caplog.at_level(logging.WARNING):
        assert difference(planes(clip, tmp_path / "out.mkv", batch=8), expected) <= 1
    assert [record.getMessage() for record in caplog.records if "no memory" in record.getMessage()] == [
        "cpu has no memory for 8 faces at once: continuing with 4; set --batch to start with fewer"
    ]
    assert sorted(size for size in sizes if size > 2) == [4, 8]


@pytest.mark.parametrize(
    "name", ["vidrestore.stages.models.Models.observe", "vidrestore.stages.models.align"]
)
def test_running_out_of_memory_altogether_is_one_sentence(clip, tmp_path, monkeypatch, capsys, name):
    def fail(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(name, fail)
    out = tmp_path / "out.mkv"
    assert (
        main([str(clip), str(out), "--model", "lite", "-q", "--min-face", "0", "--max-sharpness", "0"]) == 1
    )
    assert re.fullmatch(
        "vidrestore: error: .* has no memory left.*", capsys.readouterr().err.splitlines()[-1]
    )
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_fails_ends_the_run(clip, tmp_path, monkeypatch, stage):
    """At the first call, with the stage's own error, and without OUT."""
    where = []

    def fail(*_, **__):
        where.append(threading.current_thread().name)
        raise KeyError(stage)

    monkeypatch.setattr(STAGES[stage], fail)
    with pytest.raises(KeyError, match=stage):
        run(clip, tmp_path / "out.mp4")
    assert where == [stage]
    assert not list(tmp_path.glob("out*"))


@posix
@pytest.mark.parametrize("stage", STAGES)
def test_an_interrupt_ends_a_run_whatever_stage_is_slow(clip, tmp_path, monkeypatch, stage, capsys):
    began, sent = threading.Event(), threading.Event()

    def slow(*_, **__):
        began.set()
        sent.wait(60)
        time.sleep(0.5)  # the signal reaches the main thread
        raise KeyError("the run continued")

    monkeypatch.setattr(STAGES[stage], slow)

    def interrupt():
        began.wait(60)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        sent.set()

    threading.Thread(target=interrupt).start()
    words = ["--model", "lite", "-q", "--min-face", "0", "--max-sharpness", "0"]
    assert main([str(clip), str(tmp_path / "out.mp4"), *words]) == 130
    assert capsys.readouterr().err == "vidrestore: error: interrupted\n"
    assert not list(tmp_path.glob("out*"))


def test_the_profile_accounts_for_the_run(clip, tmp_path, capsys):
    report = run(clip, tmp_path / "out.mkv", batch=4)
    data = report.profile.data()
    assert [stage["name"] for stage in data["stages"]] == [*list(STAGES)[:-1], "encode"]
    assert all(stage["frames"] == 9 for stage in data["stages"])
    for stage in data["stages"]:
        total = stage["busy"] + stage["waits_for_input"] + stage["waits_for_room"]
        assert total <= data["wall"] * 1.01 + 0.01
        assert stage["queue"] <= max(stage["room"], 0)
    sections = data["sections"]
    assert sections["observe"]["items"] == sections["render"]["items"] == report.faces
    # A new face is looked at once more, turned.
    assert 9 < sections["detector"]["items"] <= 9 + 3
    restore = next(stage for stage in data["stages"] if stage["name"] == "restore")
    assert 0 < sections["network"]["seconds"] <= restore["busy"] + 0.01
    assert data["gpu_idle"] is None
    assert data["wall"] <= report.seconds


def test_profile_is_printed_when_asked_for(clip, tmp_path, capsys):
    assert main([str(clip), str(tmp_path / "out.mp4"), "--model", "lite", "-q", "--profile"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines[2:8]] == [
        "decode",
        "detect",
        "align",
        "restore",
        "paste",
        "encode",
    ]
    assert any(line.startswith("network") for line in lines)


def test_memory_per_face_is_known_for_every_precision():
    assert setup.FACE_BYTES.keys() == DTYPES.keys()
