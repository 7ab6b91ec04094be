"""Photos in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.support import photos
from vidrestore.media.frames.thumbnails import Thumbnails
from vidrestore.media.photo.formats import PNG
from vidrestore.media.photo.metadata import Metadata
from vidrestore.media.photo.picture import Photo, picture_of

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha", [False, True])
def test_samples_come_back_as_they_were(shape, dtype, alpha):
    samples = RNG.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    extra = RNG.integers(0, 255, shape[:2]).astype(dtype) if alpha else None
    photo = Photo(
        path=Path("a.png"),
        kind=PNG,
        picture=picture_of(samples),
        alpha=extra,
        metadata=Metadata(),
        lossless=True,
    )
    assert photo.size == (9, 7)
    assert photo.bits == 8 * samples.itemsize
    assert photo.is_grey == (samples.ndim == 2)
    expected = samples if extra is None else np.dstack([samples, extra])
    assert photo.samples().dtype == dtype
    assert (photo.samples() == expected).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_upright_as_pillow_turns_them(orientation, tmp_path):
    samples = photos.face(64)[:, :48]
    picture = picture_of(samples, orientation)
    path = photos.save(tmp_path / "a.png", samples, orientation=orientation)
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    assert picture.upright_size == upright.shape[1::-1]
    thumbnail = Thumbnails(*picture.upright_size)(picture)[..., ::-1].astype(int)
    expected = upright[:, ::-1] if picture.is_mirrored else upright
    assert np.abs(thumbnail - expected).max() <= 2
    # The map from stored to upright pixels agrees with the turned picture.
    x, y = (picture.upright @ [5.5, 9.5, 1])[:2]
    assert (expected[int(y), int(x)] == samples[9, 5]).all()
