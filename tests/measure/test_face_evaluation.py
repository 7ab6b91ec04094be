"""Evaluation on aligned faces: loading them, and comparing methods."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.support.face_folders import write_face_folder
from vidrestore.errors import InputError
from vidrestore.measure.face_evaluation import check_sizes, evaluate_faces, load_faces, spread
from vidrestore.measure.face_metrics import FaceComparison
from vidrestore.measure.face_set import FaceSetWriter, is_held_out
from vidrestore.measure.methods import load_models


class MeanDifference:
    """A stub of FaceMeter: the mean absolute difference, also as the feature."""

    def clean_face(self, clean: torch.Tensor) -> Clean:
        return Clean(clean)

    def compare(self, images: torch.Tensor, clean: Clean) -> FaceComparison:
        difference = (images.float() - clean.image.float()).abs().mean(dim=(1, 2, 3)).numpy()
        return FaceComparison({"identity": difference}, difference[:, None])


class Clean:
    def __init__(self, image: torch.Tensor) -> None:
        self.image = image
        self.features = np.zeros(1)


def prepared(folder: Path, count: int) -> Path:
    """A prepared folder of small faces whose pixels are their number."""
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 3), "u1")
    return write_face_folder(folder, pixels, [f"photos/{i}.jpg" for i in range(count)])


def test_a_prepared_folder_gives_its_validation_faces(tmp_path: Path) -> None:
    expected = [i for i in range(200) if is_held_out(f"photos/{i}.jpg")]
    faces = load_faces(prepared(tmp_path, 200), None)
    assert [name for name, _ in faces] == [f"photos/{i}.jpg" for i in expected]
    assert [int(face[0, 0, 0]) for _, face in faces] == expected
    few = load_faces(tmp_path, 3)
    assert [name for name, _ in few][::2] == [faces[0][0], faces[-1][0]]


def test_a_folder_of_shards_is_a_prepared_one(tmp_path: Path) -> None:
    writer = FaceSetWriter(tmp_path, shards=True)
    for number in range(60):
        writer.add(np.full((8, 8, 3), number, np.uint8), f"{number}.jpg", 1.0)
    writer.finish()
    found = load_faces(tmp_path, None)
    assert found
    assert all(is_held_out(name) for name, _ in found)


def test_faces_that_were_enlarged_too_much_are_left_out(tmp_path: Path) -> None:
    assert len(load_faces(prepared(tmp_path, 200), None, most_enlarged=10)) > 0
    with pytest.raises(InputError, match="no validation faces"):
        load_faces(tmp_path, None, most_enlarged=0.01)


def test_a_folder_of_images_is_read_in_order(tmp_path: Path) -> None:
    for value, name in enumerate(("b.png", "a.jpg", "c.PNG")):
        cv2.imwrite(str(tmp_path / name), np.full((4, 4, 3), 10 * value, np.uint8))
    (tmp_path / "notes.txt").write_text("ignored")
    assert [name for name, _ in load_faces(tmp_path, None)] == ["a.jpg", "b.png", "c.PNG"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "is not a folder; give one that tools/prepare_faces.py wrote"),
        ({}, "contains neither faces.npy nor JPEG or PNG files"),
        ({"a.png": b"text"}, "a.png cannot be read as an image"),
        ({"faces.npy": b"text"}, "is not as tools/prepare_faces.py writes it .*; prepare it again"),
    ],
)
def test_a_folder_without_faces(tmp_path: Path, files: dict[str, bytes] | None, message: str) -> None:
    folder = tmp_path / "faces"
    if files is not None:
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_faces(folder, None)


def test_a_prepared_folder_without_validation_faces(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no validation faces"):
        load_faces(prepared(tmp_path, 2), None)


def test_items_are_evenly_spaced() -> None:
    assert spread("abcdefg", 3) == ["a", "d", "g"]
    assert spread("abc", None) == spread("abc", 9) == ["a", "b", "c"]
    assert spread("abc", 0) == []


def test_a_face_of_another_size_is_refused() -> None:
    (model,) = load_models(["lite"], [], device="cpu")
    with pytest.raises(InputError, match=r"small has 64 x 32 pixels, but lite restores .* of 512 x 512"):
        check_sizes([("small", torch.zeros(3, 32, 64, dtype=torch.uint8))], [model])


def test_methods_are_compared_at_each_level() -> None:
    generator = torch.manual_seed(0)
    coarse = torch.randint(0, 256, (5, 3, 8, 8), generator=generator, dtype=torch.uint8)
    smooth = coarse.repeat_interleave(8, 2).repeat_interleave(8, 3)
    faces = [(f"face {i}", face) for i, face in enumerate(smooth)]
    result = evaluate_faces(faces, [], [], ["mild", "heavy"], MeanDifference(), shown=2)
    methods = ["input", "bicubic", "nlm + unsharp"]
    assert {level: list(rows) for level, rows in result.levels.items()} == {"mild": methods, "heavy": methods}
    assert result.levels["mild"]["input"]["identity"] < result.levels["heavy"]["input"]["identity"]
    for level, rows in result.data().items():
        for method, row in rows.items():
            assert len(row["per_face"]["identity"]) == 5
            assert row["identity"] == pytest.approx(np.mean(row["per_face"]["identity"]))
            # Of one feature: squared difference of means plus that of deviations; clean faces have 0.
            values = np.array(row["per_face"]["identity"])
            assert row["frechet"] == pytest.approx(values.mean() ** 2 + values.var(ddof=1)), (level, method)
    assert [label for label, _ in result.sheets["heavy"]] == ["face 0, heavy", "face 4, heavy"]
    assert all(len(images) == 4 for _, images in result.sheets["mild"])


def test_the_noise_of_a_face_does_not_depend_on_the_others() -> None:
    face = torch.full((3, 64, 64), 90, dtype=torch.uint8)
    alone = evaluate_faces([("a", face)], [], [], ["medium"], MeanDifference())
    both = evaluate_faces([("b", face), ("a", face)], [], [], ["medium"], MeanDifference())
    figures = [result.per_face["medium"]["input"]["identity"] for result in (alone, both)]
    assert figures[0][0] == figures[1][1] != figures[1][0]
    assert "frechet" not in alone.levels["medium"]["input"]  # a single face has no distribution
