"""The sheet of faces shows what runs with these weights make of them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import decode, pattern, write
from tests.support.drifting import drifting_face, quick_options
from vidrestore.analysis import analyze_video
from vidrestore.faces.face import Adjustment, TrackSettings
from vidrestore.faces.recorded.tracks_file import read_recording
from vidrestore.pipeline import restore_video
from vidrestore.review import face_sheet
from vidrestore.review.face_sheet import cut_out, upright_picture
from vidrestore.review.look import looking
from vidrestore.review.moments import Moment

WEIGHTS = (0.0, 1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sheet")
    drifting_face(folder, 30)
    analyze_video(quick_options(folder, output=folder / "tracks.json"))
    return folder


def test_faces_are_those_of_the_full_runs(folder, tmp_path, monkeypatch):
    drawn = []
    real = face_sheet.draw_sheet
    monkeypatch.setattr(
        face_sheet, "draw_sheet", lambda title, rows: drawn.append((title, rows)) or real(title, rows)
    )
    tracks, done = folder / "tracks.json", []
    with looking(quick_options(folder, tracks=tracks)) as look:
        sheet = face_sheet.face_sheet(
            look,
            [Moment(Fraction(15, 25), "small", (80, 80))],
            WEIGHTS,
            lambda *numbers: done.append(numbers),
        )
        colour = look.source.colour
    assert done == [(1, 1)]
    assert sheet.shape[1] > 3 * 256
    ((title, (row,)),) = drawn
    assert title == "in.mp4, restored by tiny.safetensors"
    assert row.title == "0:00:00.60, person 1, track 1, small"
    assert row.captions == ["input", "w 0", "w 1"]
    (face,) = read_recording(tracks).faces_at(round(Fraction(15, 25) * 12800)) or ()
    files = [folder / "in.mp4"]
    for w in WEIGHTS:
        files.append(tmp_path / f"{w}.mkv")
        restore_video(quick_options(folder, output=files[-1], tracks=tracks, w=w))
    for path, cell in zip(files, row.pictures, strict=True):
        expected = cut_out(upright_picture(decode(path)[15], colour, 0), face.box)
        assert np.array_equal(cell, expected)
    assert len({cell.tobytes() for cell in row.pictures}) == 3


@pytest.mark.parametrize(
    ("faces", "note"),
    [
        ("skipped", "left as it is at this moment"),
        ("none", "no face is followed here: the frame stays as it is"),
    ],
)
def test_what_is_left_alone_is_said_to_be(folder, tmp_path, monkeypatch, faces, note):
    rows = []
    monkeypatch.setattr(face_sheet, "draw_sheet", lambda title, given: rows.extend(given))
    clip, options = folder / "in.mp4", {"tracks": folder / "tracks.json"}
    if faces == "none":
        clip = write(tmp_path / "in.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(15)])
        options = {}
    with looking(quick_options(folder, input=clip, **options)) as look:
        if look.recording:
            look.recording.settings[1] = TrackSettings(Adjustment(skip=True))
        face_sheet.face_sheet(look, [Moment(Fraction(1, 2))], WEIGHTS, lambda *numbers: None)
    assert [row.note for row in rows] == [note]
    assert len({cell.tobytes() for cell in rows[0].pictures}) == 1


@pytest.mark.parametrize(
    ("box", "shape"),
    [((40, 40, 60, 60), (25, 25)), ((-10, 0, 10, 20), (22, 12)), ((90, 90, 130, 130), (15, 15))],
)
def test_what_is_cut_out_lies_in_the_picture(box, shape):
    picture = np.zeros((100, 100, 3), np.uint8)
    assert cut_out(picture, np.array(box, np.float32)).shape[:2] == shape


def test_many_faces_are_bounded(folder, monkeypatch, caplog):
    rows = []
    monkeypatch.setattr(face_sheet, "draw_sheet", lambda title, given: rows.extend(given))
    monkeypatch.setattr(face_sheet, "_MOST_ROWS", 1)
    with looking(quick_options(folder, tracks=folder / "tracks.json")) as look:
        moments = [Moment(Fraction(0)), Moment(Fraction(1, 25))]
        face_sheet.face_sheet(look, moments, (0.5,), lambda *numbers: None)
    assert len(rows) == 1
    assert "1 faces are left out: a sheet holds 1" in caplog.text
