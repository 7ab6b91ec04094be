"""What the report shows is bounded, and where it is."""

from __future__ import annotations

import pytest

from tests.support.notes import face, frames, left_alone, record
from tests.support.reports import flagged, photograph
from vidrestore.faces.face import PersonSettings, TrackSettings
from vidrestore.restoration.fidelity.rules import Gates
from vidrestore.review.page import page_data
from vidrestore.review.record import Record


@pytest.fixture(scope="module")
def data() -> dict:
    return page_data(flagged(), photograph)


def test_flags_are_there_with_their_texts(data):
    texts = data["texts"]
    found = {flag["kind"]: (flag["track"], flag["start"], flag["frame"]) for flag in data["flags"]}
    assert found == {
        "in front": (1, 2.0, 50),
        "identity": (1, 4.8, 120),
        "tiny": (2, 1.2, 30),
        "gap": (3, 8.0, 200),
        "worn": (3, 10.0, 250),
    }
    tiny = next(flag for flag in data["flags"] if flag["kind"] == "tiny")
    assert texts[tiny["done"]].startswith("left alone")
    assert "--min-face" in texts[tiny["command"]]
    assert all(len(flag["pictures"]) == 2 for flag in data["flags"])
    assert data["counts"]["flags"] == sum(kind["count"] for kind in data["kinds"].values()) == 5


def test_rows_are_tracks_if_no_person_is_known(data):
    assert [row["label"] for row in data["rows"]] == ["track 1", "track 3", "track 2"]
    assert [strip["label"] for strip in data["strips"]] == ["track 1", "track 3", "track 2"]
    times = [each["time"] for each in data["strips"][0]["faces"]]
    assert len(times) == 6
    assert times == sorted(times)


def test_rows_are_persons_if_they_are_known():
    notes = frames([face(1), face(2)], [face(2), face(3)])
    plain = record(notes)
    kept = ("options", "origin", "setup", "licence", "times", "notes")
    made = Record(
        **{name: getattr(plain, name) for name in kept},
        settings={1: TrackSettings(person=1), 3: TrackSettings(person=1)},
        persons={1: PersonSettings(name="Ada <3")},
    )
    data = page_data(made, photograph)
    assert [(row["label"], row["tracks"]) for row in data["rows"]] == [("Ada <3", [1, 3]), ("track 2", [2])]
    assert {each["track"] for each in data["strips"][0]["faces"]} == {1, 3}


def test_without_pictures_there_is_neither_strip_nor_slider():
    data = page_data(flagged(), lambda places, size, after: [None] * len(places))
    assert data["strips"] == []
    assert not any("pictures" in flag for flag in data["flags"])


def test_pictures_are_bounded():
    asked = []

    def counting(places, size, after):
        asked.append(len(places))
        return [None] * len(places)

    notes = frames(*([face(track, covered=0.2)] for track in range(1, 400)))
    data = page_data(record(notes), counting)
    assert len(data["flags"]) == 399
    assert asked == [8, 8, 24]  # of the severest before and after, and faces of tracks of one frame


def test_nothing_at_all():
    data = page_data(record([]), photograph)
    assert (data["counts"]["frames"], data["flags"], data["rows"]) == (0, [], [])


def test_an_analysis_has_pictures_of_its_input():
    asked = []

    def noted(places, size, after):
        asked.append(after)
        return photograph(places, size, after)

    notes = frames(*([left_alone(gates=Gates(0.1, 1, 1), size=20)] for _ in range(20)))
    data = page_data(record(notes, restored=False), noted)
    assert asked
    assert not any(asked)
    assert [len(flag["pictures"]) for flag in data["flags"]] == [1]
    assert data["strips"]
    assert "restored" not in data["counts"]
