"""Preparing faces of photographs: the largest face is found and aligned."""

from __future__ import annotations

from pathlib import Path

import cv2
import matplotlib.cbook
import numpy as np
import pytest

from vidrestore.errors import InputError
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.faces.detection.detector import Detector
from vidrestore.faces.detection.load import load_detector
from vidrestore.measure.face_preparation import aligned_face, largest_face, prepare_faces
from vidrestore.measure.face_set import FaceSet


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector("retinaface_mobile0.25", "cpu")


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    """Grace Hopper (public domain), BGR."""
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    return cv2.imread(str(path))


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0])
def test_a_face_is_aligned_to_the_template(detector: Detector, photograph: np.ndarray, scale: float) -> None:
    image = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    face, enlarged = aligned_face(image, largest_face(image, detector))
    assert face.shape == (512, 512, 3)
    assert enlarged == pytest.approx(2.0 / scale, rel=0.35)
    found = largest_face(cv2.cvtColor(face, cv2.COLOR_RGB2BGR), detector)
    assert np.abs(found - TEMPLATE).max() < 20


def test_the_largest_of_several_faces(detector: Detector, photograph: np.ndarray) -> None:
    small = cv2.resize(photograph, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    both = np.zeros((photograph.shape[0], photograph.shape[1] + small.shape[1], 3), np.uint8)
    both[: small.shape[0], : small.shape[1]] = small
    both[:, small.shape[1] :] = photograph
    assert largest_face(both, detector)[:, 0].min() > small.shape[1]


def test_photographs_without_a_face_are_reported(
    detector: Detector, photograph: np.ndarray, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "hopper.png"), photograph)
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((80, 80, 3), 90, np.uint8))
    (tmp_path / "text.jpg").write_text("no image")
    paths = sorted(tmp_path.iterdir())
    without = prepare_faces(paths, detector, tmp_path / "faces")
    assert [path.name for path in without] == ["grey.png", "text.jpg"]
    faces = FaceSet(tmp_path / "faces")
    assert faces.names == [f"{tmp_path.name}/hopper.png"]
    assert faces.pixels.shape == (1, 512, 512, 3)
    with pytest.raises(InputError, match="no face was found in any photograph"):
        prepare_faces(without, detector, tmp_path / "none")
