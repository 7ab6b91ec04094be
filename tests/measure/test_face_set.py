"""Folders of aligned faces: reading them, and the split into training and validation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.face_folders import write_face_folder
from vidrestore.measure.face_set import FaceSet, is_held_out, write_face_set


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    names = [f"person{i}.jpg" for i in range(40)]
    return write_face_folder(tmp_path, pixels, names, [2.0 if i % 2 else 0.8 for i in range(40)])


def test_names_factors_and_pixels_are_read(folder: Path) -> None:
    faces = FaceSet(folder)
    assert faces.names[3] == "person3.jpg"
    assert faces.enlarged[:2].tolist() == [0.8, 2.0]
    assert faces.face(3).shape == (3, 8, 8)
    assert np.array_equal(faces.face(3).permute(1, 2, 0).numpy(), np.load(folder / "faces.npy")[3])


def test_a_written_face_set_is_read(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    write_face_set(tmp_path / "new", pixels, ["a, b.jpg", "c.png"], [0.5, 1.23456])
    faces = FaceSet(tmp_path / "new")
    assert faces.names == ["a, b.jpg", "c.png"]
    assert faces.enlarged.tolist() == [0.5, 1.235]
    assert np.array_equal(faces.pixels, pixels)


def test_held_out_faces_are_few_fixed_and_never_trained_on(folder: Path) -> None:
    faces = FaceSet(folder)
    names = [f"{i}.jpg" for i in range(4000)]
    assert 0.03 < sum(map(is_held_out, names)) / len(names) < 0.07
    assert not set(faces.training) & set(faces.validation)
    assert len(faces.training) + len(faces.validation) == 40
    assert {faces.names[i] for i in faces.validation} == {n for n in faces.names if is_held_out(n)}


def test_names_and_faces_must_agree(folder: Path) -> None:
    (folder / "faces.csv").write_text("name,enlarged\na.jpg,1.0\n")
    with pytest.raises(ValueError, match="40 faces but 1 names"):
        FaceSet(folder)
