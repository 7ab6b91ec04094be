"""TIFFs, read by Pillow and OpenCV."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.support import photos
from vidrestore.media.photo.metadata import Metadata
from vidrestore.media.photo.tiff_file import write_tiff


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_samples_are_read_as_they_were_written(tmp_path, dtype, channels, monkeypatch):
    monkeypatch.setattr("vidrestore.media.photo.tiff_file._STRIP", 4096)  # several strips
    samples = np.random.default_rng(0).integers(
        0, np.iinfo(dtype).max, (50, 61, channels), dtype, endpoint=True
    )
    samples = samples[..., 0] if channels == 1 else samples
    write_tiff(tmp_path / "a.tif", samples, Metadata())
    read = photos.load(tmp_path / "a.tif")
    assert read.dtype == dtype
    assert (read == samples).all()


def test_grey_with_alpha(tmp_path):
    samples = np.random.default_rng(0).integers(0, 255, (9, 7, 2), np.uint8)
    write_tiff(tmp_path / "a.tif", samples, Metadata())
    with Image.open(tmp_path / "a.tif") as image:
        assert image.mode == "LA"
        assert (np.asarray(image) == samples).all()


def test_metadata(tmp_path):
    exif = photos.exif(orientation=8).tobytes()[6:]
    metadata = Metadata(exif=exif, xmp=photos.XMP, icc=photos.icc(), dpi=(240, 240))
    write_tiff(tmp_path / "a.tif", np.zeros((4, 6, 3), np.uint16), metadata)
    with Image.open(tmp_path / "a.tif") as image:
        tags = image.getexif()
        assert (tags[271], tags[274], tags[700]) == (photos.MAKE, 8, photos.XMP)
        assert float(tags.get_ifd(0x8769)[photos.EXPOSURE]) == pytest.approx(1 / 60)
        assert image.info["icc_profile"] == photos.icc()
        assert image.info["dpi"] == (240, 240)
