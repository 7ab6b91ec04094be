"""``tools/prepare_faces.py``: from a folder of photographs to a face set."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import skimage.data

from tests.support.tools import load_tool
from vidrestore.measure.face_set import FaceSet


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("prepare_faces")


@pytest.mark.parametrize(
    ("options", "file"), [([], "faces.npy"), (["--shards"], "faces-00000.npy")], ids=["one file", "shards"]
)
def test_a_folder_of_photographs(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], file: str
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "b.png"), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))
    cv2.imwrite(str(photos / "a.jpg"), np.full((80, 80, 3), 90, np.uint8))
    (photos / "notes.txt").write_text("ignored")
    out = tmp_path / "faces"
    assert tool.main([str(photos), "--out", str(out), "--device", "cpu", *options]) == 0
    assert [path.name for path in out.glob("*.npy")] == [file]
    assert FaceSet(out).names == ["photos/b.png"]
    assert "a.jpg: no face found" in capsys.readouterr().err


def test_no_face_is_one_sentence(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main([str(tmp_path), "--out", str(tmp_path / "faces"), "--device", "cpu"]) == 1
    assert "prepare_faces: no face was found in any photograph" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["gone", "photo.png"])
def test_what_is_no_folder_is_one_sentence(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "photo.png").write_bytes(b"")
    assert tool.main([str(tmp_path / name), "--out", str(tmp_path / "faces"), "--device", "cpu"]) == 1
    assert f"{name} cannot be read as a folder of photographs: " in capsys.readouterr().err
    assert not (tmp_path / "faces").exists()
