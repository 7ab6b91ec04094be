"""Numbered images are read as a video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.support import reader
from tests.support.frames import LOSSLESS, clip, pass_through, synthetic
from vidrestore.errors import InputError, UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.image_sequence import ffmpeg_arguments, image_files, image_numbers, is_sequence
from vidrestore.media.timeline import Span


def numbered(folder: Path, first: int, count: int) -> Path:
    synthetic(folder / "f_%04d.png", "mandelbrot=s=64x48:r=25", "-frames:v", count, "-start_number", first)
    return folder / "f_%04d.png"


def test_numbered_images_are_a_video(tmp_path):
    source = numbered(tmp_path, 117, 5)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, rate=Fraction(50))
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 50) for i in range(5)]
    assert len({f.digest for f in reader.frames(out)}) == 5


@pytest.mark.parametrize(
    "span",
    [Span(), Span(Fraction(4, 25)), Span(end=Fraction(4, 25))],
    ids=["the whole", "a part after it", "a part over it"],
)
def test_a_missing_image_is_refused(tmp_path, span):
    source = numbered(tmp_path, 117, 6)
    (tmp_path / "f_0120.png").unlink()
    with pytest.raises(InputError, match=r"f_%04d\.png has no image 120, .* end before it with -t"):
        Decoder(source, span)


def test_a_part_before_a_missing_image_is_read(tmp_path, caplog):
    source = numbered(tmp_path, 117, 6)
    (tmp_path / "f_0120.png").unlink()
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, Span(end=Fraction(3, 25)))
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 25) for i in range(3)]
    assert not caplog.records


def test_an_image_that_cannot_be_read_is_damage(tmp_path, caplog):
    source = numbered(tmp_path, 0, 6)
    (tmp_path / "f_0003.png").write_bytes(b"no image")
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 25) for i in (0, 1, 2, 4, 5)]
    assert "is damaged" in caplog.text


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
    assert image_files(tmp_path / "f_%d.png") == [tmp_path / "f_9.png", tmp_path / "f_10.png"]
    assert image_numbers(tmp_path / "f_%04d.png") == []
    assert ffmpeg_arguments(tmp_path / "f_%d.png", Fraction(30)) == (
        str(tmp_path / "f_%d.png"),
        {"start_number": "9", "framerate": "30"},
    )
