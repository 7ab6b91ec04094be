"""Sheets of pictures: what is where, and how they are written."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidrestore.errors import OutputError, UsageError
from vidrestore.review.drawing import CELL, Row, check_picture, clock, draw_sheet, plain, save_picture

RED, BLUE = (0, 0, 255), (255, 0, 0)


def block(colour: tuple[int, int, int], height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def test_pictures_are_in_rows_in_cells_of_one_size():
    rows = [
        Row("first", [block(RED, 10, 10), block(BLUE, 500, 500)], ["a", "b"]),
        Row("second", [block(BLUE, 40, 80)], ["c"], "a note"),
    ]
    sheet = draw_sheet("title", rows)
    red, blue = (np.argwhere((sheet == colour).all(-1)) for colour in (RED, BLUE))
    assert np.ptp(red, axis=0).tolist() == [CELL - 1, CELL - 1]
    assert len(blue) == CELL * CELL + CELL * CELL // 2, "the shape of a picture is kept"
    assert blue[0][1] > red[:, 1].max()
    assert (sheet.min(-1) < 100).any(), "text"


def test_text_is_never_cut_off():
    rows = [Row("a title that is very much longer than its picture is wide " * 2, [block(RED, 9, 9)], ["a"])]
    assert (draw_sheet("", rows)[:, -8:] == 250).all()


@pytest.mark.parametrize(
    ("text", "drawn"), [("Łódź 12", "Lodz 12"), ("José", "Jose"), ("Straße", "Strasse"), ("北", "?")]
)
def test_letters_that_cannot_be_drawn(text, drawn):
    assert plain(text) == drawn


@pytest.mark.parametrize("name", ["sheet.png", "sheet.JPG"])
def test_a_picture_is_written_whole(tmp_path, name):
    save_picture(tmp_path / name, block(RED, 30, 40))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert cv2.imread(str(tmp_path / name)).shape == (30, 40, 3)


def test_an_error_leaves_the_old_picture(tmp_path, monkeypatch):
    path = tmp_path / "sheet.png"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vidrestore.media.output.destination.make_durable", full)
    with pytest.raises(OutputError, match=r"sheet\.png cannot be written: No space left"):
        save_picture(path, block(RED, 3, 3))
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.png"]
    assert path.read_bytes() == b"old"


def test_other_files_are_no_pictures(tmp_path):
    with pytest.raises(UsageError, match=r"'a\.txt' does not have the extension of a picture"):
        check_picture(tmp_path / "a.txt")


def test_times():
    assert [clock(s) for s in (0, 83.48, 3661.5)] == ["0:00:00.00", "0:01:23.48", "1:01:01.50"]
