"""What an uploaded file is."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidrestore.errors import InputError
from vidrestore.media.untrusted import VARIABLE
from vidrestore.ui.inspection import inspect_upload, look_into

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(autouse=True)
def _stranger(monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")


def test_a_video_in_words():
    found = look_into(SAMPLES / "scenes.mkv")
    assert found["words"] == "480 x 360, 25 frames/s, h264, 2 audio tracks, 1 subtitle track"
    assert (found["kind"], found["suffix"], found["frames"]) == ("video", ".mkv", 93)
    assert "'Major'" in found["details"]


def test_a_photo_in_words(tmp_path):
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(tmp_path / "a", "JPEG")
    found = look_into(tmp_path / "a")
    assert (found["kind"], found["suffix"], found["words"]) == ("photo", ".jpg", "40 x 30, JPEG, RGB")


def bomb(width: int, height: int) -> bytes:
    """A PNG that states a size and has next to no samples."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (bomb(60_000, 60_000), "million"),
        (bomb(13_000, 11_000), "million"),
        (b"\xff\xd8\xff\xe0 no JPEG", "cannot be read"),
        (b"nothing in particular", "cannot be read"),
        (b"", "empty"),
    ],
    ids=["bomb", "large", "torn", "text", "empty"],
)
def test_what_is_refused(content, told, tmp_path):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match=told):
        look_into(tmp_path / "a")


def test_it_is_looked_into_in_a_process_of_its_own(monkeypatch):
    monkeypatch.delenv(VARIABLE)
    assert inspect_upload(SAMPLES / "portrait.mp4")["duration"] == 4


def test_the_process_says_nothing_of_where_the_file_is(tmp_path):
    (tmp_path / "secret place").write_bytes(b"text")
    with pytest.raises(InputError) as caught:
        inspect_upload(tmp_path / "secret place")
    assert "secret" not in str(caught.value)
    assert "the file cannot be read" in str(caught.value)


def test_a_process_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr("vidrestore.ui.inspection._PATIENCE", 0.01)
    with pytest.raises(InputError, match="could not be read"):
        inspect_upload(SAMPLES / "portrait.mp4")
