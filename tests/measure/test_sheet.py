"""Contact sheets: every image in its cell, and the file within its size limit."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from vidrestore.errors import OutputError
from vidrestore.measure.sheet import contact_sheet, save_sheet


def flat(value: int) -> np.ndarray:
    return np.full((512, 512, 3), value, np.uint8)


def test_rows_and_columns() -> None:
    values = np.array([[10, 60, 110], [160, 210, 250]])
    rows = [(f"row {i}", [flat(v) for v in line]) for i, line in enumerate(values)]
    sheet = contact_sheet(["a", "b", "c"], rows)
    height, width = sheet.shape[:2]
    for i, line in enumerate(values):
        for j, value in enumerate(line):
            y, x = round((i + 0.55) * height / 2), round((j + 0.5) * width / 3)
            assert sheet[y, x].tolist() == [value] * 3
    assert sheet[:22].min() < 100, "no headings"


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_size_limit_is_kept(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 900, 3), np.uint8)
    save_sheet(tmp_path / f"sheet{suffix}", noise, limit=300_000)
    assert (tmp_path / f"sheet{suffix}").stat().st_size <= 300_000
    assert cv2.imread(str(tmp_path / f"sheet{suffix}")).shape[1] > 0.8 * 400


def test_colours_are_kept(tmp_path: Path) -> None:
    red = np.full((500, 500, 3), (200, 30, 40), np.uint8)
    save_sheet(tmp_path / "sheet.png", red, limit=100_000)
    assert cv2.imread(str(tmp_path / "sheet.png"))[0, 0].tolist() == [40, 30, 200]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("sheet.gif", "ends in .jpg or .png"), ("missing/sheet.jpg", "cannot write")],
)
def test_an_invalid_path(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(OutputError, match=sentence):
        save_sheet(tmp_path / name, flat(3), limit=100_000)
