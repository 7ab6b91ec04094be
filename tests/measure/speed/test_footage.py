"""Clips made to measure with, and how long runs are watched."""

from __future__ import annotations

from itertools import islice, pairwise
from mmap import mmap
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import decode
from vidrestore.measure.speed import long_run as course
from vidrestore.measure.speed.long_run import Course, peak_mb, resident_mb
from vidrestore.measure.speed.synthetic_clips import face_pictures, now_and_then, tiled, write_clip

SAMPLE = Path(__file__).parents[3] / "samples" / "portrait.mp4"


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return face_pictures(SAMPLE)


def test_the_face_is_played_forth_and_back(pictures):
    assert {picture.shape for picture in pictures} == {(320, 320, 3)}
    assert len(pictures) == 62
    assert (pictures[33] == pictures[29]).all()


@pytest.mark.parametrize("faces", [0, 1, 4, 16])
def test_so_many_tiles_are_in_every_frame(pictures, faces):
    empty, frame = (next(tiled(pictures, 640, 360, count)) for count in (0, faces))
    assert frame.shape == (360, 640, 3)
    columns = max(1, round(faces**0.5))
    covered = (frame != empty).any(axis=2).mean()
    assert covered == pytest.approx(faces * (360 // columns) ** 2 / (640 * 360), abs=0.02)


def test_tiles_move(pictures):
    first, second = islice(tiled(pictures, 320, 180, 1), 2)
    assert (first != second).any()


def test_a_clip_has_the_frames_and_faces_asked_for(pictures, tmp_path):
    frames = now_and_then(tiled(pictures, 192, 144, 1), tiled(pictures, 192, 144, 0), every=5, shown=2)
    clip = decode(write_clip(tmp_path / "clip.mp4", frames, 11))
    assert [(frame.width, frame.height) for frame in clip] == [(192, 144)] * 11
    middles = [frame.to_ndarray(format="gray").astype(int)[40:100, 70:120] for frame in clip]
    changes = [np.abs(b - a).mean() > 15 for a, b in pairwise(middles)]
    assert changes == [False, True, False, False, True, False, True, False, False, True]


def test_a_long_run_is_noted_by_parts(monkeypatch):
    clock = iter(float(t) for t in range(0, 100, 2))
    monkeypatch.setattr(course.time, "perf_counter", lambda: next(clock))
    watched = Course(25, parts=5)
    for frame in range(1, 26):
        watched(frame, frame // 5)
    assert [row["frames"] for row in watched.rows] == [5, 10, 15, 20, 25]
    assert [row["faces"] for row in watched.rows] == [1] * 5
    assert [row["frames_per_second"] for row in watched.rows] == [2.5] * 5
    assert all(0 < row["resident_mb"] <= peak_mb() * 1.01 for row in watched.rows)


def test_memory_is_that_of_this_process():
    before, megabyte = resident_mb(), bytes(1 << 20)
    with mmap(-1, 200 << 20) as ballast:  # never memory that was freed and kept
        for _ in range(200):
            ballast.write(megabyte)
        assert 150 < resident_mb() - before < 250
        assert peak_mb() >= resident_mb() * 0.99
