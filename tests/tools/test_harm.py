"""The command line of tools/harm.py."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.support.textures import texture
from tests.support.tools import load_tool

pytest.importorskip("stlpips_pytorch")


def test_faces_are_counted_and_the_worst_drawn(tmp_path, capsys):
    folder = tmp_path / "faces"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), (255 * texture(1, 512)).byte().permute(1, 2, 0).numpy())
    sheet = tmp_path / "worst.png"
    harm = load_tool("harm")
    options = ["--levels", "mild", "--w", "0.5", "--net", "alex", "--sheet", str(sheet), "--device", "cpu"]
    assert harm.main(["faces", "--faces", str(folder), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "lite, 1 faces"
    assert lines[-1].split()[:2] == ["mild", "0.5"]
    assert np.asarray(cv2.imread(str(sheet))).shape[0] > 3 * 256


def test_a_folder_without_faces_is_one_sentence(tmp_path, capsys):
    assert load_tool("harm").main(["faces", "--faces", str(tmp_path / "none")]) == 1
    assert "is not a folder" in capsys.readouterr().err


def test_no_face_is_left_out_unless_asked():
    harm = load_tool("harm")
    assert harm.parse_args(["faces", "--faces", "x"]).most_enlarged == float("inf")
    assert harm.parse_args(["faces", "--faces", "x", "--most-enlarged", "2"]).most_enlarged == 2
