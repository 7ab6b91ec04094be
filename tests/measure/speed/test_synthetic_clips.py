"""Clips of any size, length and number of faces."""

from __future__ import annotations

import sys
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import decode
from vidrestore.errors import InputError, UsageError
from vidrestore.measure.speed.synthetic_clips import face_images, intermittent, repeat_clip, tiled, write_clip

SAMPLE = Path(__file__).parents[3] / "samples" / "portrait.mp4"


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return face_images(SAMPLE)


def test_the_face_is_played_forward_and_backward(images):
    assert {image.shape for image in images} == {(320, 320, 3)}
    assert len(images) == 62
    assert (images[33] == images[29]).all()


@pytest.mark.parametrize("faces", [0, 1, 4, 16])
def test_every_frame_has_the_tiles(images, faces):
    empty, frame = (next(tiled(images, 640, 360, count)) for count in (0, faces))
    assert frame.shape == (360, 640, 3)
    columns = max(1, round(faces**0.5))
    covered = (frame != empty).any(axis=2).mean()
    assert covered == pytest.approx(faces * (360 // columns) ** 2 / (640 * 360), abs=0.02)


def test_tiles_move(images):
    first, second = islice(tiled(images, 320, 180, 1), 2)
    assert (first != second).any()


def test_a_clip_has_the_frames_and_faces_asked_for(images, tmp_path):
    frames = intermittent(tiled(images, 192, 144, 1), tiled(images, 192, 144, 0), period=5, shown=2)
    clip = decode(write_clip(tmp_path / "clip.mp4", frames, 11))
    assert [(frame.width, frame.height) for frame in clip] == [(192, 144)] * 11
    middles = [frame.to_ndarray(format="gray").astype(int)[40:100, 70:120] for frame in clip]
    changes = [np.abs(b - a).mean() > 15 for a, b in pairwise(middles)]
    assert changes == [False, True, False, False, True, False, True, False, False, True]


def test_a_clip_is_repeated(images, tmp_path):
    clip = write_clip(tmp_path / "clip.mkv", tiled(images, 64, 48, 1), 5)
    frames = decode(repeat_clip(clip, tmp_path / "thrice.mkv", 3))
    assert len(frames) == 15
    first, last = frames[0].to_ndarray(), frames[10].to_ndarray()
    assert np.array_equal(first, last)


def test_a_clip_that_cannot_be_repeated(tmp_path):
    with pytest.raises(InputError, match=r"ffmpeg cannot repeat .*missing\.mkv"):
        repeat_clip(tmp_path / "missing.mkv", tmp_path / "out.mkv", 2)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UsageError, match=r"imageio_ffmpeg is not installed; run: .*vidrestore\[tools\]"):
        repeat_clip(tmp_path / "clip.mkv", tmp_path / "out.mkv", 2)
