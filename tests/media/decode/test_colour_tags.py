"""Tags that only the container has are used and kept; a matrix without a conversion is no failure."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import pytest

from tests.support import reader
from tests.support.clips import pattern, write
from tests.support.frames import synthetic
from tests.support.runs import run
from vidrestore.media.decode.decoder import Decoder

HDR = {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1}
SDR = {"color_primaries": 6, "color_trc": 6, "colorspace": 6, "color_range": 1}
NAMES = ("colour_primaries", "transfer_characteristics", "matrix_coefficients")


def clip(path: Path, tags: dict[str, int], **stream: int) -> Path:
    """A file whose container has ``tags``, while the H.264 stream in it has the numbers ``stream``."""
    tagged = path.with_stem("tagged")
    frames = [pattern(i, 320, 180, "yuv420p") for i in range(4)]
    write(tagged, frames, codec="libx264", tags=tags)
    changes = ":".join(f"{name}={number}" for name, number in stream.items())
    command = [reader.binary(), "-v", "error", "-y", "-i", tagged, "-c", "copy"]
    subprocess.run([*command, "-bsf:v", f"h264_metadata={changes}", path], check=True)
    return path


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_what_the_stream_does_not_say_is_the_containers(tmp_path, suffix):
    source = clip(tmp_path / f"in{suffix}", HDR, **dict.fromkeys(NAMES, 2))
    with Decoder(source) as decoder:
        tags, colour = decoder.source.tags, decoder.source.colour
    assert (tags.primaries, tags.transfer, tags.matrix, tags.range) == (9, 16, 9, 1)
    assert (colour.transfer is not None, colour.guessed) == (True, False)
    run(source, tmp_path / "out.mkv", codec="ffv1")
    assert "bt2020nc/bt2020/smpte2084" in reader.describe(tmp_path / "out.mkv")


def test_each_tag_by_itself(tmp_path):
    source = clip(tmp_path / "in.mkv", HDR, transfer_characteristics=2)
    with Decoder(source) as decoder:
        tags = decoder.source.tags
    assert (tags.primaries, tags.transfer, tags.matrix) == (9, 16, 9)


def test_the_stream_is_believed_and_the_conflict_is_said(tmp_path, caplog):
    source = clip(tmp_path / "in.mkv", HDR, transfer_characteristics=18)
    with caplog.at_level(logging.WARNING), Decoder(source) as decoder:
        assert decoder.source.tags.transfer == 18
    [said] = [record.getMessage() for record in caplog.records]
    assert "transfer is smpte2084, the video arib-std-b67; the video is believed" in said


def test_numbers_that_mean_the_same_are_no_conflict(tmp_path, caplog):
    source = clip(tmp_path / "in.mkv", SDR, transfer_characteristics=1, matrix_coefficients=5)
    with caplog.at_level(logging.WARNING), Decoder(source):
        assert not caplog.records


@pytest.mark.parametrize(
    ("matrix", "name", "kr", "guessed"),
    [
        (8, "ycgco", 0.299, True),
        (10, "bt2020c", 0.2627, False),
        (11, "smpte2085", 0.299, True),
        (12, "chroma-derived-nc", 0.299, True),
        (14, "ictcp", 0.299, True),
    ],
)
def test_a_matrix_without_a_conversion(tmp_path, caplog, matrix, name, kr, guessed):
    source = clip(tmp_path / "in.mkv", {"color_range": 1}, matrix_coefficients=matrix)
    with caplog.at_level(logging.WARNING), Decoder(source) as decoder:
        colour = decoder.source.colour
    assert (colour.kr, colour.guessed) == (kr, guessed)
    said = [record.getMessage() for record in caplog.records]
    assert [f"matrix {name} has no conversion" in text for text in said] == [True] * guessed
    run(source, tmp_path / "out.mp4", codec="libx264")
    assert f"{name}/unknown/unknown" in reader.describe(tmp_path / "out.mp4")


def test_an_untagged_matrix_is_guessed_in_silence(tmp_path, caplog):
    source = clip(tmp_path / "in.mkv", {}, matrix_coefficients=2)
    with caplog.at_level(logging.WARNING), Decoder(source) as decoder:
        assert decoder.source.colour.guessed
    assert not caplog.records


@pytest.mark.parametrize("pix_fmt", ["rgb24", "pal8", "rgb48be", "monob", "rgba"])
def test_a_picture_without_a_matrix_has_no_conflict(tmp_path, caplog, pix_fmt):
    path = synthetic(tmp_path / "in.mkv", "testsrc2=s=64x48:d=0.2", "-pix_fmt", pix_fmt, "-c:v", "png")
    with Decoder(path):
        assert not caplog.text
