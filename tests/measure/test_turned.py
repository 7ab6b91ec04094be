"""Clips are turned, and faces in them compared with those of the clean clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.clips import decode
from vidrestore.errors import InputError
from vidrestore.faces.alignment.align import TEMPLATE, transform_points
from vidrestore.faces.face import Face
from vidrestore.measure.turned import measure_turned, turn_matrix, upright_faces, write_turned
from vidrestore.media.timeline import Span

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


def test_a_point_is_turned_clockwise_around_the_middle() -> None:
    matrix, side = turn_matrix((30, 40), 90)
    assert side == 50
    points = transform_points(np.array([[15.0, 20.0], [15.0, 0.0], [0.0, 20.0]]), matrix)
    np.testing.assert_allclose(points, [[25, 25], [45, 25], [25, 10]], atol=1e-9)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_clip_is_turned_as_its_matrix_says(tmp_path: Path, degrees: int) -> None:
    write_turned(SAMPLE, tmp_path / "out.mkv", degrees, span=Span(end=Fraction(2, 25)))
    before, after = (
        [frame.to_ndarray(format="gray") for frame in decode(path)] for path in (SAMPLE, tmp_path / "out.mkv")
    )
    assert len(after) == 2
    height, width = before[0].shape
    matrix, side = turn_matrix((width, height), degrees)
    assert after[0].shape == (side, side)
    y, x = np.mgrid[20 : height - 20 : 7, 20 : width - 20 : 7]
    points = transform_points(np.column_stack([x.ravel(), y.ravel()]) + 0.5, matrix)
    column, row = np.floor(points).astype(int).T
    error = np.abs(before[0][y.ravel(), x.ravel()].astype(int) - after[0][row, column])
    assert error.mean() < 3


def test_faces_that_are_restored_are_counted_and_compared(tmp_path: Path) -> None:
    """In a square of noise the second of three faces is left as it was in the input."""
    matrix, _ = turn_matrix((300, 300), 120)
    points = TEMPLATE / 2 + (20, 20)
    face = Face(1, np.array([100, 100, 200, 200], np.float32), points.astype(np.float32))
    rng = np.random.default_rng(1)
    clean = [np.uint8(rng.integers(60, 180, (30, 30, 1)).repeat(10, 0).repeat(10, 1)) for _ in range(3)]
    worn = [image + np.uint8(20) for image in clean]
    paths = {}
    for name, images in {
        "clean": clean,
        "worn": worn,
        "restored": [clean[0] + np.uint8(10), worn[1], clean[2] + np.uint8(10)],
    }.items():
        _write(tmp_path / f"{name}.mkv", images)
        paths[name] = tmp_path / f"turned-{name}.mkv"
        write_turned(tmp_path / f"{name}.mkv", paths[name], 120)
    found = measure_turned(
        paths["clean"], paths["worn"], paths["restored"], {n: [face] for n in range(3)}, matrix
    )
    assert (found["frames"], found["restored"]) == (3, 2)
    assert found["input_psnr"] == pytest.approx(20 * np.log10(255 / 20), abs=0.3)
    mean = np.mean([10**2, 20**2, 10**2])
    assert found["psnr"] == pytest.approx(10 * np.log10(255**2 / mean), abs=0.3)


def test_a_clip_without_faces_is_an_error(tmp_path: Path) -> None:
    _write(tmp_path / "grey.mkv", [np.full((96, 96, 1), 90, np.uint8)] * 2)
    with pytest.raises(InputError, match="no face was found"):
        upright_faces(tmp_path / "grey.mkv", lambda images: [[] for _ in images])


def _write(path: Path, images: list[np.ndarray]) -> None:
    """A lossless clip of grey images (H, W, 1)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image.repeat(3, 2), format="rgb24").reformat(format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
