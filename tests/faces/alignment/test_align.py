"""Alignment maps five points onto the template in any pose, robustly."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch

from tests.support.clips import write
from tests.support.runs import face_frame
from vidrestore.faces.alignment.align import TEMPLATE, Placement, align, alignment_matrix, transform_points
from vidrestore.faces.face import Face
from vidrestore.media.decode.decoder import Decoder


def similarity(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[c, -s, x], [s, c, y], [0, 0, 1]])


@pytest.mark.parametrize("size", [256, 512])
@pytest.mark.parametrize("scale", [0.05, 0.3, 4.0])
@pytest.mark.parametrize("degrees", [0, -30, 90, 179])
def test_exact_points_give_the_exact_similarity(size, scale, degrees):
    to_frame = similarity(scale, degrees, 300, 200)
    landmarks = transform_points(TEMPLATE * size / 512, to_frame).astype(np.float32)
    found = alignment_matrix(landmarks, size) @ to_frame
    np.testing.assert_allclose(found, np.eye(3), atol=1e-2)


def test_noise_is_averaged_over_all_points():
    """Five points locate the face better than any two: the error is well below that of one landmark."""
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(200):
        matrix = alignment_matrix(TEMPLATE + rng.normal(0, 4, (5, 2)))
        errors.append(transform_points(np.array([[256.0, 300.0]]), matrix)[0] - (256, 300))
    assert np.std(errors) < 4 * 0.6


@pytest.mark.parametrize("point", range(5))
def test_one_outlier_has_reduced_weight(point):
    landmarks = TEMPLATE.copy()
    landmarks[point] += (90, -60)
    robust = alignment_matrix(landmarks)
    a = np.column_stack((landmarks @ (1, 1j), np.ones(5)))
    turn, shift = np.linalg.lstsq(a, TEMPLATE @ (1, 1j), rcond=None)[0]
    plain = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag], [0, 0, 1]])
    others = np.delete(TEMPLATE, point, axis=0)
    drift = [np.abs(transform_points(others, m) - others).max() for m in (robust, plain)]
    assert drift[0] < 0.8 * drift[1]


def test_coinciding_points_are_refused():
    with pytest.raises(ValueError, match="coincide"):
        alignment_matrix(np.full((5, 2), 7.0))


class RecordingCanvas:
    """A canvas that keeps the matrix it was read with."""

    def read(self, matrix, size, device):
        self.matrix = matrix
        return torch.zeros(3, size, size, device=device)


def test_faces_of_a_rotated_frame_are_upright():
    """Coordinates are in the upright frame, while the matrix of the crop maps stored pixels."""
    upright = np.array([[0.0, 1, 0], [-1, 0, 480], [0, 0, 1]])  # a quarter turn; stored width 480
    landmarks = transform_points(TEMPLATE, similarity(0.4, 5, 60, 40))
    canvas = RecordingCanvas()
    aligned = align(canvas, Face(1, np.zeros(4), landmarks), upright, 512)
    stored = transform_points(landmarks, np.linalg.inv(upright))
    np.testing.assert_allclose(transform_points(stored, canvas.matrix), TEMPLATE, atol=0.5)
    np.testing.assert_allclose(aligned.placement.landmarks, TEMPLATE, atol=0.5)


def _shown(matrix, width, height):
    """Cell by cell."""
    inverse, shown = np.linalg.inv(matrix), np.zeros((64, 64), bool)
    for row in range(64):
        for column in range(64):
            x, y, _ = inverse @ (8 * column + 4, 8 * row + 4, 1)
            shown[row, column] = 0 <= x <= width and 0 <= y <= height
    return shown


@pytest.mark.parametrize(
    "matrix",
    [[[1.0, 0, 40], [0, 1, 100], [0, 0, 1]], [[0.0, -1.3, 400], [1.3, 0, 40], [0, 0, 1]]],
    ids=["upright", "turned"],
)
def test_what_a_crop_shows_of_its_frame(matrix):
    """Of 400 x 300 pixels."""
    shown = Placement(Face(1, np.zeros(4), TEMPLATE), np.array(matrix), TEMPLATE).inside(400, 300, 512)
    assert np.array_equal(shown, _shown(np.array(matrix), 400, 300))
    assert 0.3 < shown.mean() < 0.8


@pytest.mark.parametrize("rotation", [0, 90])
def test_faces_of_anamorphic_frames_are_aligned_as_they_are_displayed(tmp_path, rotation):
    """A frame, and the same squeezed to seven tenths of its displayed width, with pixels of 10:7."""
    plain = face_frame(400, 300, "yuv444p")
    squeezed = plain.reformat(280, 300) if not rotation else plain.reformat(400, 210)
    aspect = Fraction(10, 7) if not rotation else Fraction(7, 10)
    crops = []
    for name, frame, ratio, across in (("plain", plain, None, 1.0), ("squeezed", squeezed, aspect, 0.7)):
        path = write(tmp_path / f"{name}.mp4", [frame], options={"qp": "1"}, aspect=ratio, rotation=rotation)
        with Decoder(path) as decoder:
            first = decoder.first
        assert first.upright_aspect == pytest.approx(1 / across)
        assert decoder.source.upright_aspect == first.upright_aspect
        landmarks = (TEMPLATE * 0.3 + (90, 60)) * (across, 1)
        face = Face(1, np.zeros(4), landmarks.astype(np.float32))
        crops.append(align(first.image(), face, first.upright, 256, aspect=first.upright_aspect))
    for a, b in pairwise(crops):
        np.testing.assert_allclose(a.placement.landmarks, b.placement.landmarks, atol=0.01)
        assert (a.image - b.image).abs().mean() < 0.02
    assert crops[0].image.std() > 0.1
