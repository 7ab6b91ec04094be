"""What a person sets for tracks and persons is written, and read back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from vidrestore.faces.face import Adjustment, PersonSettings, Span, TrackSettings
from vidrestore.faces.recorded.json_values import InvalidError
from vidrestore.faces.recorded.recording import Condition, TrackSummary
from vidrestore.faces.recorded.settings_entries import person_entry, read_person, read_track, track_entry

SUMMARY = TrackSummary(first=1.0, last=2.5, frames=40, size=88)
CONDITION = Condition(size=90, sharpness=0.5, noise=1.5, yaw=0.2, roll=-3, w=0.5, why="soft", in_front=0.2)
SETTINGS = TrackSettings(
    Adjustment(0.25, 0.5, False),
    "left",
    3,
    (Span(1.0, 2.0, Adjustment(w=1.0)), Span(0, 1, Adjustment(skip=True))),
)
ADA = PersonSettings(Adjustment(0.2, 0.0, True), "Ada", (0.25,) * 128)


@pytest.mark.parametrize("settings", [TrackSettings(), SETTINGS], ids=["defaults", "all set"])
@pytest.mark.parametrize("condition", [None, CONDITION], ids=["not measured", "measured"])
def test_a_track(settings: TrackSettings, condition: Condition | None) -> None:
    entry = json.loads(json.dumps(track_entry(7, settings, SUMMARY, condition)))
    assert read_track(entry, "entry 1") == (7, settings, condition)
    assert (entry["first"], entry["size"]) == (1.0, 88)


def test_a_condition_of_an_older_file_does_not_say_what_is_in_front():
    entry = track_entry(7, SETTINGS, SUMMARY, CONDITION)
    del entry["condition"]["in_front"]
    assert read_track(entry, "entry 1")[2] == replace(CONDITION, in_front=None)
    entry["condition"]["in_front"] = 2
    with pytest.raises(InvalidError, match="track 7: condition: in_front must be between 0 and 1"):
        read_track(entry, "entry 1")


def test_a_span_says_only_what_it_sets():
    assert track_entry(7, SETTINGS, None, None)["spans"][1] == {"from": 0, "to": 1, "skip": True}


@pytest.mark.parametrize("settings", [PersonSettings(), ADA], ids=str)
def test_a_person(settings: PersonSettings) -> None:
    assert read_person(person_entry(2, settings), "entry 1") == (2, settings)
