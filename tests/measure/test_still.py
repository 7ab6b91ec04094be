"""A clip of a scene that does not move."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.clips import decode
from vidrestore.errors import InputError
from vidrestore.measure.still import write_still

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


def test_the_first_frame_of_a_clip_is_repeated(tmp_path: Path) -> None:
    write_still(SAMPLE, tmp_path / "still.mkv", frames=4)
    frames = decode(tmp_path / "still.mkv")
    assert len(frames) == 4
    assert len({frame.to_ndarray().tobytes() for frame in frames}) == 1
    assert (frames[0].width, frames[0].height, frames[0].format.name) == (640, 360, "yuv420p")
    assert np.array_equal(frames[0].to_ndarray(), decode(SAMPLE)[0].to_ndarray())


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.png does not exist"):
        write_still(tmp_path / "none.png", tmp_path / "still.mkv", frames=3)


def test_an_image_with_odd_sides(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "red.png"), np.full((33, 47, 3), (0, 0, 255), np.uint8))
    write_still(tmp_path / "red.png", tmp_path / "still.mkv", frames=3)
    frames = decode(tmp_path / "still.mkv")
    assert [(frame.width, frame.height) for frame in frames] == [(46, 32)] * 3
    assert frames[0].to_ndarray(format="rgb24").mean(axis=(0, 1)) == pytest.approx([255, 0, 0], abs=3)
