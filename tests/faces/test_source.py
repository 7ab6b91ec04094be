"""What every face source promises, live or recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
import pytest

from tests.support.recordings import ORIGIN
from tests.support.scripted_video import ScriptedVideo, face_during
from vidrestore.faces.face import Adjustment, Face
from vidrestore.faces.recorded.recorded_source import RecordedSource
from vidrestore.faces.recorded.recording import Recording
from vidrestore.faces.source import FaceSource
from vidrestore.faces.tracking.live_source import LiveSource

LENGTH = 60
VIDEO = ScriptedVideo(LENGTH, face_during((0, 25), (40, 60)))


def number(frame: str) -> int:
    return int(frame.removeprefix("frame "))


def live() -> FaceSource:
    return LiveSource(VIDEO.detector)


def recorded() -> FaceSource:
    recording = Recording(ORIGIN)
    for frame, faces in LiveSource(VIDEO.detector).stream(VIDEO.items()):
        recording.add(number(frame), faces)
    recording.shots = [0]
    return RecordedSource(recording, pts=number)


def stream(
    source: FaceSource, items: Iterable[tuple[str, np.ndarray]]
) -> Iterator[tuple[str, tuple[Face, ...]]]:
    return source.stream(items, (1.0, 1.0))


@pytest.mark.parametrize("source", [live, recorded])
def test_every_frame_is_yielded_once_in_order_and_faces_are_counted(source: Callable[[], FaceSource]):
    given = source()
    frames = list(stream(given, VIDEO.items()))
    assert [number(frame) for frame, _ in frames] == list(range(LENGTH))
    faces = [face for _, found in frames for face in found]
    assert given.faces == len(faces) == 45
    assert given.tracks == len({face.track for face in faces})
    assert given.shots == 1
    assert {face.adjustment for face in faces} == {Adjustment()}


@pytest.mark.parametrize("source", [live, recorded])
@pytest.mark.parametrize("done", [1, 27, 50])
def test_a_source_resumes_from_the_state_of_another(source: Callable[[], FaceSource], done: int):
    whole, first, second = source(), source(), source()
    expected = [(frame, [face.track for face in faces]) for frame, faces in stream(whole, VIDEO.items())]
    head = list(islice(stream(first, VIDEO.items()), done))
    second.resume(json.loads(json.dumps(first.state())))
    rest = list(stream(second, islice(VIDEO.items(), done, None)))
    assert [(frame, [face.track for face in faces]) for frame, faces in head + rest] == expected
    assert (second.tracks, second.faces) == (whole.tracks, whole.faces)
