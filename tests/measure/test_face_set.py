"""Folders of aligned faces: reading them, and the split into training and validation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.face_folders import write_face_folder
from vidrestore.measure.face_set import _SHARD_BYTES, FaceSet, FaceSetWriter, is_held_out


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


@pytest.mark.parametrize(
    ("shards", "names"),
    [(False, ["faces.npy"]), (True, ["faces-00000.npy", "faces-00001.npy", "faces-00002.npy"])],
    ids=["one file", "shards"],
)
def test_a_written_face_set_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shards: bool, names: list[str]
) -> None:
    monkeypatch.setattr("vidrestore.measure.face_set._SHARD_BYTES", 2 * 8 * 8 * 3)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    np.save(tmp_path / "faces-00009.npy", pixels)  # of an earlier run
    writer = FaceSetWriter(tmp_path, shards=shards)
    for face, name in zip(pixels, ["a, b.jpg", "c.png", "d", "e", "f"], strict=True):
        writer.add(face, name, 1.23456)
    writer.finish()
    assert sorted(path.name for path in tmp_path.glob("*.npy")) == names
    faces = FaceSet(tmp_path)
    assert faces.names[:2] == ["a, b.jpg", "c.png"]
    assert faces.enlarged.tolist() == [1.235] * 5
    assert faces.pixels.shape == (5, 8, 8, 3)
    assert all(np.array_equal(faces.pixels[i], pixels[i]) for i in range(5))


def test_a_set_is_replaced_only_when_another_is_complete(folder: Path) -> None:
    before = FaceSet(folder).names
    np.save(folder / "faces_of_mine.npy", np.zeros(3))
    writer = FaceSetWriter(folder, shards=True)
    writer.add(np.zeros((8, 8, 3), np.uint8), "a", 1.0)
    assert FaceSet(folder).names == before  # and so it stays if nothing follows
    writer.finish()
    assert FaceSet(folder).names == ["a"]
    assert sorted(path.name for path in folder.glob("*faces*.npy")) == [
        "faces-00000.npy",
        "faces_of_mine.npy",
    ]


def test_a_shard_of_faces_of_512_pixels_has_at_most_60_mb() -> None:
    faces = _SHARD_BYTES // (3 * 512 * 512)
    assert faces * 3 * 512 * 512 + 128 < 60_000_000


def test_a_missing_shard_is_noticed(folder: Path) -> None:
    pixels = np.load(folder / "faces.npy")
    (folder / "faces.npy").unlink()
    for number, shard in enumerate((pixels[:13], pixels[26:])):
        np.save(folder / f"faces-{number:03}.npy", shard)
    with pytest.raises(ValueError, match="27 faces but 40 names"):
        FaceSet(folder)
    for path in folder.glob("*.npy"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r"has no faces\.npy"):
        FaceSet(folder)


def test_faces_are_downscaled_by_averaging(folder: Path) -> None:
    stored, half = FaceSet(folder), FaceSet(folder, 4)
    assert half.face(1).shape == (3, 4, 4)
    mean = stored.face(1).float().reshape(3, 4, 2, 4, 2).mean(dim=(2, 4))
    assert (half.face(1).float() - mean).abs().max() <= 1
    assert torch.equal(stored.face(1), FaceSet(folder, 8).face(1))
    # At half the size, a face that was enlarged to twice its size has its own detail.
    assert half.enlarged[:2].tolist() == [0.4, 1.0]
    with pytest.raises(ValueError, match="8 pixels wide, which is not a multiple of 5"):
        FaceSet(folder, 5)


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
