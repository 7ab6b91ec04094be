"""Shots, tracks and persons of a run."""

from __future__ import annotations

from fractions import Fraction

from tests.support.notes import face, frames, left_alone
from vidrestore.faces.face import PersonSettings, TrackSettings
from vidrestore.review.entries import frame_entries
from vidrestore.review.overview import Overview


def overview(notes) -> Overview:
    settings = {1: TrackSettings(person=2), 3: TrackSettings(person=2, name="at the window")}
    found = Overview(settings, {2: PersonSettings(name="Ada")})
    for frame in frame_entries(notes, Fraction(1, 25), Fraction(0)):
        found.add(frame)
    return found


NOTES = [
    *frames([face(1, size=100), left_alone(2)], [face(1, size=110)], []),
    *frames([face(3, fit=0.0, size=0, w=None)], [face(3, size=50)], shot=2, start=3),
]


def test_shots():
    shots = overview(NOTES).shots
    assert [(shot.id, shot.first, shot.last, shot.start, shot.end) for shot in shots] == [
        (1, 0, 2, 0.0, 0.08),
        (2, 3, 4, 0.12, 0.16),
    ]


def test_tracks():
    found = overview(NOTES)
    tracks = found.tracks
    assert list(tracks) == [1, 2, 3]
    assert [(t.shot, t.first, t.last, t.frames, t.restored) for t in tracks.values()] == [
        (1, 0, 1, 2, 2),
        (1, 0, 0, 1, 0),
        (2, 3, 4, 2, 2),
    ]
    assert tracks[1].mean("size") == 105
    assert tracks[3].mean("size") == 50  # where it was not measured does not count
    assert tracks[2].mean("identity") is None
    assert tracks[3].name == "at the window"
    assert (found.frames, found.faces, found.restored) == (5, 5, 4)


def test_persons():
    [person] = overview(NOTES).persons
    assert (person.id, person.name, person.tracks, person.frames) == (2, "Ada", [1, 3], 4)
