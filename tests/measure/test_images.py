"""Images as tensors and arrays, and reading them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidrestore.errors import InputError
from vidrestore.measure.images import read_image, to_rows


def test_reading_and_converting(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), pixels[..., ::-1])
    image = read_image(tmp_path / "a.png")
    assert (image.shape, image.dtype) == ((3, 5, 7), torch.uint8)
    assert np.array_equal(to_rows(image), pixels)


def test_a_file_that_is_not_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"text")
    with pytest.raises(InputError, match=r"a\.png cannot be read as an image"):
        read_image(tmp_path / "a.png")
