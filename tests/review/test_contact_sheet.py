"""The sheet of all persons: who is on it, in what order, and that it stays small."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.recordings import ORIGIN, STEP, face
from vidrestore.faces.face import PersonSettings, TrackSettings
from vidrestore.faces.recorded.recording import Recording
from vidrestore.restoration.fidelity.face_quality import FaceQuality
from vidrestore.review import contact_sheet
from vidrestore.review.contact_sheet import Portraits, draw_contact_sheet
from vidrestore.review.drawing import LINE

GOOD = FaceQuality(size=100, sharpness=0.8, noise=1, yaw=0.1)
COLOURS = {1: (200, 30, 30), 2: (30, 200, 30), 3: (30, 30, 200), 4: (200, 200, 30)}


def picture(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((512, 512, 3), colour, np.uint8)


def recording(frames: dict[int, int], persons: dict[int, int]) -> Recording:
    """Each track in so many frames, one track after another."""
    made, pts = Recording(ORIGIN), 3000
    for track, count in frames.items():
        for _ in range(count):
            made.add(pts, [face(1, 100)] if track == 1 else [face(track, 100)])
            pts += STEP
    made.set_persons(persons)
    return made


def portraits(tracks) -> Portraits:
    kept = Portraits()
    for track in tracks:
        kept.add(track, picture(COLOURS.get(track, (90, 90, 90))), GOOD)
    return kept


def place_of(sheet: np.ndarray, track: int) -> tuple[int, int]:
    """The top left corner of a track's face."""
    near = np.abs(sheet.astype(int) - COLOURS[track][::-1]).max(-1) < 12
    rows, columns = np.nonzero(near)
    assert len(rows) > 0.9 * 128 * 128, f"track {track}"
    return int(rows.min()), int(columns.min())


def test_each_person_has_a_row_with_its_tracks():
    made = recording({1: 3, 2: 9, 3: 5, 4: 1}, {1: 1, 2: 2, 3: 1, 4: 2})
    sheet = draw_contact_sheet(made, portraits(range(1, 5)), "persons")
    places = {track: place_of(sheet, track) for track in range(1, 5)}
    assert places[2][0] == places[4][0] < places[1][0] == places[3][0], "the person with most frames first"
    assert places[2][1] == places[1][1] < places[4][1] == places[3][1], "tracks in the order of their times"


def test_names_tracks_times_and_frames_are_written(monkeypatch):
    texts = []
    monkeypatch.setattr(contact_sheet, "write_text", lambda sheet, text, *at, **how: texts.append(text))
    made = recording({1: 3, 2: 9, 3: 5}, {1: 1, 2: 2, 3: 1})
    made.persons[1] = PersonSettings(name="Ada")
    draw_contact_sheet(made, portraits(range(1, 4)), "persons in a.mkv")
    assert texts[0] == "persons in a.mkv"
    assert "Ada: 2 tracks, 8 frames, 0:00:02.00 to 0:00:02.64" in texts
    assert "person 2: 1 track, 9 frames, 0:00:02.12 to 0:00:02.44" in texts
    assert {"track 1, 3 fr.", "track 2, 9 fr.", "from 0:00:02.12"} <= set(texts)


def test_tracks_of_nobody_and_without_a_picture():
    made = recording({1: 3}, {})
    made.settings[1] = TrackSettings()
    assert draw_contact_sheet(made, Portraits(), "").shape[0] > 128 + LINE


def test_thousands_of_tracks_are_bounded_and_what_is_left_out_is_said(monkeypatch, caplog):
    texts = []
    monkeypatch.setattr(contact_sheet, "write_text", lambda sheet, text, *at, **how: texts.append(text))
    count = 3000
    frames = {track: 1 + track % 3 for track in range(1, count + 1)}
    made = recording(frames, {track: 1 if track < 100 else track for track in frames})
    sheet = draw_contact_sheet(made, portraits(range(1, 9)), "persons")
    assert sheet.nbytes < 100e6
    assert max(sheet.shape) < 30000
    assert any("; 69 shorter tracks are left out" in text for text in texts)
    assert "persons with fewer frames are left out" in texts[0]
    assert "the contact sheet holds " in caplog.text


@pytest.mark.parametrize(
    "worse", [{"size": 20}, {"sharpness": 0.1}, {"yaw": 0.8}], ids=lambda worse: next(iter(worse))
)
def test_the_best_face_is_kept(worse):
    bad = FaceQuality(**{"size": 100, "sharpness": 0.8, "noise": 1, "yaw": 0.1, **worse})
    for order in ((0, 1), (1, 0)):
        kept = Portraits()
        given = [(picture((10, 10, 10)), bad), (picture((240, 240, 240)), GOOD)]
        for number in order:
            kept.add(7, *given[number])
        assert kept.picture(7).mean() > 200
    assert kept.picture(8) is None


def test_faces_wait_in_little_memory():
    kept = portraits(range(1, 5))
    assert sum(len(data) for _, data in kept._best.values()) < 4 * 8000
