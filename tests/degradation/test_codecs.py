"""Real codecs: they keep brightness and position, and lower quality causes larger errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vidrestore.degradation.codecs import VIDEO_CODECS, compress_jpeg, compress_video

#: For each codec: its function, and qualities from good to bad.
CODECS: dict[str, tuple[Callable[[np.ndarray, int], np.ndarray], tuple[int, ...]]] = {
    "jpeg": (compress_jpeg, (95, 60, 20)),
    **{
        codec: (
            lambda image, quality, codec=codec: compress_video([np.roll(image, 2, 1), image], codec, quality),
            (2, 8, 24) if codec == "mpeg2" else (16, 28, 40),
        )
        for codec in VIDEO_CODECS
    },
}


@pytest.fixture
def image() -> np.ndarray:
    """Smooth colours with texture, (48, 64, 3) RGB uint8."""
    y, x = np.mgrid[:48, :64]
    texture = 15.0 * ((x // 2 + y // 2) % 2)
    channels = [120 + 80 * np.sin(x / 9) + texture, 130 + 60 * np.cos(y / 7), 200 - x - y + texture]
    return np.stack(channels, axis=-1).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("codec", CODECS)
def test_lower_quality_causes_larger_errors(image: np.ndarray, codec: str) -> None:
    compress, qualities = CODECS[codec]
    errors = []
    for quality in qualities:
        result = compress(image, quality)
        assert (result.shape, result.dtype) == (image.shape, np.uint8)
        assert np.array_equal(result, compress(image, quality))
        assert abs(result.mean() - image.mean()) < 2.5
        errors.append(np.abs(result.astype(int) - image).mean())
    assert errors == sorted(errors)
    assert errors[0] < 12 < errors[-1] * 4


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_the_last_frame_is_returned(image: np.ndarray, codec: str) -> None:
    best = 2 if codec == "mpeg2" else 10
    result = compress_video([255 - image, image], codec, best).astype(int)
    assert np.abs(result - image).mean() < np.abs(result - (255 - image.astype(int))).mean() / 3


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_grey_stays_grey_at_its_level(codec: str) -> None:
    """The conversion to Y'CbCr and back does not darken the image."""
    grey = np.full((32, 32, 3), 101, np.uint8)
    result = compress_video([grey, grey], codec, 2).astype(int)
    assert np.abs(result - 101).max() <= 1
