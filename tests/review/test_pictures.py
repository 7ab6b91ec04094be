"""Pictures read by seeking are those of their frames."""

from __future__ import annotations

import base64
import logging

import av
import cv2
import numpy as np
import pytest

from tests.support.clips import write
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.review import pictures
from vidrestore.review.pictures import Place, data_uri, read_places


def decoded(uri: str) -> np.ndarray:
    assert uri.startswith("data:image/webp;base64,")
    return cv2.imdecode(np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)


def grey(level: int) -> av.VideoFrame:
    """A frame of one brightness."""
    frame = av.VideoFrame(64, 48, "yuv420p")
    for plane, value in zip(plane_views(frame), (level, 128, 128), strict=True):
        plane[...] = value
    return frame


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Frame n, at n / 25 s, has the luma 20 + 2 n."""
    return write(tmp_path_factory.mktemp("pictures") / "in.mp4", [grey(20 + 2 * i) for i in range(100)])


def test_each_place_is_of_its_frame(clip):
    numbers = [70, 3, 0, 99, 71, 4]
    found = read_places(clip, [Place(time=n / 25, box=(10, 10, 30, 30)) for n in numbers], 32)
    for number, uri in zip(numbers, found, strict=True):
        assert decoded(uri).shape == (32, 32, 3)
        level = (20 + 2 * number - 16) * 255 / 219
        assert decoded(uri).mean() == pytest.approx(min(level, 255), abs=1.5)


def test_two_faces_of_a_frame_have_a_picture_each(clip):
    places = [Place(time=0.4, box=(0, 0, 20, 20)), Place(time=0.4, box=(20, 20, 40, 40))]
    assert None not in read_places(clip, places, 16)


def test_the_face_is_in_the_middle(tmp_path):
    frame = grey(30)
    plane_views(frame)[0][10:20, 30:40] = 220
    clip = write(tmp_path / "in.mkv", [frame], codec="ffv1")
    [uri] = read_places(clip, [Place(time=0, box=(30, 10, 40, 20))], 48)
    picture = decoded(uri)
    assert picture[20:28, 20:28].mean() > 200
    assert picture[:4].mean() < 60


def test_what_cannot_be_read_is_left_out(clip, tmp_path):
    assert read_places(tmp_path / "missing.mp4", [Place(time=0, box=(0, 0, 9, 9))], 8) == [None]
    found = read_places(clip, [Place(time=50, box=(0, 0, 9, 9)), Place(time=0, box=(0, 0, 9, 9))], 8)
    assert found[0] is None
    assert found[1] is not None


def test_it_is_quiet_about_the_file_and_not_afterwards(clip, monkeypatch):
    log = logging.getLogger("vidrestore.media")
    seen = []
    monkeypatch.setattr(pictures, "Decoder", lambda *_, **__: seen.append(log.isEnabledFor(logging.WARNING)))
    with pytest.raises(TypeError):
        read_places(clip, [Place(time=0, box=(0, 0, 9, 9))], 8)
    assert seen == [False]
    assert log.level == logging.NOTSET


def test_a_data_uri():
    picture = np.full((8, 8, 3), (10, 120, 200), np.uint8)
    assert np.abs(decoded(data_uri(picture)).astype(int) - picture).max() < 12
