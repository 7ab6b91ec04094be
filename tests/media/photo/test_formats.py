"""Which files are photos, by their content."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidrestore.errors import UsageError
from vidrestore.media.photo.formats import PhotoFormat, format_by_name, photo_format

SAMPLE = Path(__file__).parents[3] / "samples" / "portrait.mp4"
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8))


def name_of(kind: PhotoFormat | None) -> str | None:
    return kind.name if kind else None


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "WEBP", "GIF", "AVIF"])
def test_a_photo_is_known_by_its_content(tmp_path, name):
    path = tmp_path / "file.mp4"
    PICTURE.save(path, name)
    assert name_of(photo_format(path)) == name


def test_heic(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    PICTURE.save(tmp_path / "a", "HEIF")
    assert name_of(photo_format(tmp_path / "a")) == "HEIF"


@pytest.mark.parametrize("name", ["WEBP", "GIF", "PNG"])
def test_an_animation_is_a_video(tmp_path, name):
    path = tmp_path / "a"
    PICTURE.save(path, name, save_all=True, append_images=[PICTURE.rotate(90)])
    assert photo_format(path) is None


@pytest.mark.parametrize("content", [b"", b"\xff", b"RIFF0000AVI LIST", b"\0\0\0\x18ftypmp42", b"text"])
def test_other_files_are_not_photos(tmp_path, content):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    assert photo_format(path) is None


def test_what_is_no_ordinary_file(tmp_path):
    assert photo_format(SAMPLE) is None
    assert photo_format(tmp_path) is None
    assert photo_format(tmp_path / "none.jpg") is None
    assert photo_format(Path("a\0b")) is None
    PICTURE.save(tmp_path / "a.mjpeg", "JPEG")
    assert photo_format(tmp_path / "a.mjpeg") is None


def test_the_name_of_out_says_its_format():
    assert name_of(format_by_name(Path("A.JPEG"))) == "JPEG"
    with pytest.raises(UsageError, match="does not have the extension of a photo"):
        format_by_name(Path("a.mp4"))


def test_a_size_that_is_only_stated_is_no_matter_here(tmp_path, recwarn):
    PICTURE.save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[16:24] = struct.pack(">II", 12_000, 12_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "a.png").write_bytes(data)
    assert name_of(photo_format(tmp_path / "a.png")) == "PNG"
    assert not recwarn.list
