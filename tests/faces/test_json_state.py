"""Arrays survive JSON bit for bit, and a source resumed from JSON finds the same faces."""

from __future__ import annotations

import json
from itertools import islice

import numpy as np
import pytest

from tests.support.moving import detection
from tests.support.scripted_video import ScriptedVideo, face_during
from vidrestore.faces.face import Detection, Face
from vidrestore.faces.json_state import pack_array, unpack_array
from vidrestore.faces.tracking.live_source import WINDOW, LiveSource

LENGTH = 150


def _two_faces(t: int) -> list[Detection]:
    """Two moving faces that come and go and have gaps; one of them often has a low score."""
    faces = [detection(200 + 2 * t)] if not 60 <= t < 80 and t != 100 else []
    return faces + ([detection(700 - t, score=0.96 if t % 4 else 0.6)] if t > 30 else [])


VIDEOS = {
    "one face with gaps": ScriptedVideo(LENGTH, face_during((3, 40), (52, 90), (130, 150))),
    "two faces": ScriptedVideo(LENGTH, _two_faces),
    "cuts": ScriptedVideo(LENGTH, _two_faces, cuts=(50, 75)),
}


def comparable(frames: list[tuple[str, tuple[Face, ...]]]) -> list[tuple]:
    """Frames and faces in a form that is compared bit for bit."""
    return [
        (frame, [(f.track, f.strength, f.box.tobytes(), f.landmarks.tobytes()) for f in faces])
        for frame, faces in frames
    ]


@pytest.mark.parametrize("video", VIDEOS.values(), ids=VIDEOS.keys())
@pytest.mark.parametrize("batch", [pytest.param(1, marks=pytest.mark.slow), 3])
@pytest.mark.parametrize("given", [1, 64, 99, LENGTH - WINDOW // 2])
def test_a_resumed_live_source_finds_the_same_faces(video: ScriptedVideo, batch: int, given: int) -> None:
    whole = LiveSource(video.detector, batch=batch)
    expected = comparable(list(whole.stream(video.items())))
    assert any(faces for _, faces in expected[given:])

    first = LiveSource(video.detector, batch=batch)
    stream = first.stream(video.items())
    head = comparable(list(islice(stream, given)))
    state = json.loads(json.dumps(first.state()))

    video.batches = []
    second = LiveSource(video.detector, batch=batch)
    second.resume(state)
    rest = comparable(list(second.stream(islice(video.items(), given, None))))
    assert head + rest == expected
    assert (second.tracks, second.faces) == (whole.tracks, whole.faces)
    # Detections of frames in the window are not repeated.
    assert sum(video.batches) <= max(0, LENGTH - given - WINDOW)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_arrays_survive_json(dtype: str) -> None:
    array = np.random.default_rng(0).normal(size=(3, 4)).astype(dtype)
    back = unpack_array(json.loads(json.dumps(pack_array(array))))
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())
