"""Metadata of photos, from file to file."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.support import photos
from vidrestore.media.photo.formats import JPEG, PNG, TIFF
from vidrestore.media.photo.metadata import (
    Metadata,
    enlarged_exif,
    own_of_jpeg,
    png_chunks,
    read_metadata,
    upright_exif,
)
from vidrestore.media.photo.tiff_file import write_tiff

SAMPLES = np.random.default_rng(0).integers(0, 255, (8, 12, 3), np.uint8)


@pytest.mark.parametrize(("kind", "suffix"), [(JPEG, ".jpg"), (PNG, ".png"), (TIFF, ".tif")])
def test_what_a_file_says_is_read(tmp_path, kind, suffix):
    path = photos.save(tmp_path / f"a{suffix}", SAMPLES, orientation=6)
    with Image.open(path) as image:
        metadata = read_metadata(image, path, kind)
    assert metadata.orientation == 6
    assert metadata.icc == photos.icc()
    assert metadata.xmp == photos.XMP
    assert [round(value) for value in metadata.dpi] == [300, 300]
    tags = Image.Exif()
    tags.load(b"Exif\0\0" + metadata.exif)
    assert tags[271] == photos.MAKE
    assert float(tags.get_ifd(0x8769)[photos.EXPOSURE]) == pytest.approx(1 / 60)
    if kind is TIFF:
        assert not {256, 257, 273, 279} & set(tags)


def test_a_tiff_that_states_no_resolution_has_none(tmp_path):
    path = tmp_path / "a.tif"
    write_tiff(path, SAMPLES, Metadata())
    with Image.open(path) as image:
        assert read_metadata(image, path, TIFF).dpi is None


def test_an_impossible_orientation_is_none(tmp_path):
    path = photos.save(tmp_path / "a.jpg", SAMPLES, orientation=9)
    with Image.open(path) as image:
        assert read_metadata(image, path, JPEG).orientation == 1


def test_what_only_a_format_knows_is_kept_as_it_is(tmp_path):
    iptc = b"\xff\xed" + (16 + 4).to_bytes(2, "big") + b"Photoshop 3.0\0" + b"8BIM"
    Image.fromarray(SAMPLES).save(tmp_path / "a.jpg", extra=iptc)
    with Image.open(tmp_path / "a.jpg") as image:
        assert read_metadata(image, tmp_path / "a.jpg", JPEG).own == iptc
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Title", "A face")
    text.add(b"gAMA", (45455).to_bytes(4, "big"))
    Image.fromarray(SAMPLES).save(tmp_path / "a.png", pnginfo=text)
    with Image.open(tmp_path / "a.png") as image:
        own = read_metadata(image, tmp_path / "a.png", PNG).own
    assert b"Title\0A face" in own
    assert b"gAMA" in own
    assert b"IDAT" not in own


@pytest.mark.parametrize("order", ["II", "MM"])
def test_numbers_of_pixels_grow_with_the_picture(order):
    tags = photos.exif(width=160)
    tags.endian = {"II": "<", "MM": ">"}[order]
    before = tags.tobytes()[6:]
    assert before[:2] == order.encode()
    after = enlarged_exif(before, 4)
    assert sum(a != b for a, b in zip(before, after, strict=True)) <= 2
    read = Image.Exif()
    read.load(b"Exif\0\0" + after)
    assert read.get_ifd(0x8769)[photos.WIDTH] == 640


def test_only_the_orientation_changes_when_samples_are_turned():
    before = photos.exif(orientation=6, width=160).tobytes()[6:]
    after = upright_exif(before)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    read = Image.Exif()
    read.load(b"Exif\0\0" + after)
    assert (read[274], read[271]) == (1, photos.MAKE)


@pytest.mark.parametrize("damaged", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x09"])
def test_damaged_exif_stays_as_it_is(damaged):
    assert enlarged_exif(damaged, 2) == damaged


def test_chunks_without_metadata_are_none(tmp_path):
    Image.fromarray(SAMPLES).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert png_chunks(read_metadata(image, tmp_path / "a.png", PNG)) == b""


def test_what_only_a_jpeg_says(tmp_path):
    iptc = b"\xff\xed\0\x14Photoshop 3.0\x008BIM"
    cases = [({}, []), ({"comment": b"x"}, ["its comment"])]
    cases.append(({"comment": b"x", "extra": iptc}, ["its IPTC or extended XMP", "its comment"]))
    for given, lost in cases:
        Image.fromarray(SAMPLES).save(tmp_path / "a.jpg", **given)
        with Image.open(tmp_path / "a.jpg") as image:
            assert own_of_jpeg(read_metadata(image, tmp_path / "a.jpg", JPEG)) == lost
