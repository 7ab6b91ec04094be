"""Numbered images are read as a video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.support import reader
from tests.support.frames import LOSSLESS, clip, pass_through, synthetic
from vidrestore.errors import InputError, UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.image_sequence import ffmpeg_arguments, image_numbers, is_sequence


def numbered(folder: Path, first: int, count: int) -> Path:
    synthetic(folder / "f_%04d.png", "mandelbrot=s=64x48:r=25", "-frames:v", count, "-start_number", first)
    return folder / "f_%04d.png"


def test_numbered_images_are_a_video(tmp_path):
    source = numbered(tmp_path, 117, 5)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, rate=Fraction(50))
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 50) for i in range(5)]
    assert len({f.digest for f in reader.frames(out)}) == 5


def test_a_missing_image_ends_the_sequence(tmp_path, caplog):
    source = numbered(tmp_path, 0, 6)
    (tmp_path / "f_0003.png").unlink()
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 25) for i in range(3)]
    assert "3 of 5 frames could be read" in caplog.text


def test_a_pattern_without_images_and_a_rate_without_a_pattern(tmp_path):
    with pytest.raises(InputError, match="no image matches"):
        Decoder(tmp_path / "g_%03d.png")
    with pytest.raises(UsageError, match="has its own timestamps"):
        Decoder(clip(tmp_path / "in.mp4"), rate=Fraction(30))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("f_%04d.png", True), ("f_%d.png", True), ("f.png", False), ("f_%d_%d.png", False), ("100%.png", False)],
)
def test_which_names_are_patterns(tmp_path, name, expected):
    assert is_sequence(tmp_path / name) == expected


def test_an_existing_file_is_not_a_pattern(tmp_path):
    (tmp_path / "f_%d.png").write_bytes(b"")
    assert not is_sequence(tmp_path / "f_%d.png")


def test_numbers_in_increasing_order(tmp_path):
    for name in ("f_10.png", "f_9.png", "f_x.png", "f_11.jpg"):
        (tmp_path / name).write_bytes(b"")
    assert image_numbers(tmp_path / "f_%d.png") == [9, 10]
    assert image_numbers(tmp_path / "f_%04d.png") == []
    assert ffmpeg_arguments(tmp_path / "f_%d.png", Fraction(30)) == (
        str(tmp_path / "f_%d.png"),
        {"start_number": "9", "framerate": "30"},
    )
