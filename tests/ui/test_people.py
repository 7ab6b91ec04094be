"""The persons of a video on the page."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.support.page import write_tracks
from vidrestore.errors import UsageError
from vidrestore.faces.face import Face
from vidrestore.faces.recorded.recording import Origin, Recording
from vidrestore.faces.recorded.tracks_file import read_recording
from vidrestore.ui.people import checked_settings, nearest_frames, persons_of, recording_of, write_settings


@pytest.fixture
def tracks(tmp_path):
    return write_tracks(tmp_path / "tracks.json")


@pytest.fixture
def recording(tracks):
    return read_recording(tracks)


def test_who_is_seen_longest_comes_first_with_a_place_for_a_picture(recording):
    first, second = persons_of(recording, 40)
    assert (first["id"], first["frames"], first["tracks"]) == (1, 10, [[1, 0.0, 0.9]])
    assert (second["id"], second["frames"], second["time"]) == (2, 3, 0.6)
    assert second["box"] == [20, 10, 40, 36]


def test_of_a_long_film_only_so_many_have_a_place_for_a_picture():
    """300 persons in 150 000 frames; where each is was once looked for in all of them."""
    origin = Origin(name="a.mkv", width=100, height=80, time_base=Fraction(1, 25), begin=Fraction(2))
    recording = Recording(origin)
    box, marks = np.array([10, 10, 30, 30], np.float32), np.full((5, 2), 20, np.float32)
    for pts in range(150_000):
        track = 1 + pts // 500
        recording.add(pts + 50, [Face(track, box, marks)] if pts % 500 < 400 - track else [])
    recording.set_persons({track: track for track in range(1, 301)})
    found = persons_of(recording, 40)
    assert len(found) == 300
    assert [each["id"] for each in found[:3]] == [1, 2, 3]
    assert found[1]["time"] == pytest.approx((500 + 397 / 2) / 25, abs=0.03)
    assert sum("time" in each for each in found) == 40


def test_the_frames_nearest_to_a_time_come_first(recording):
    assert list(nearest_frames(recording, 0.42)) == [4, 5, 3, 6, 2, 7, 1, 8, 0, 9]
    assert next(nearest_frames(recording, 99)) == 9
    assert next(nearest_frames(recording, -1)) == 0


def test_settings_are_written_into_a_copy(tracks, tmp_path):
    before = tracks.read_bytes()
    settings = {"1": {"w": 0.2, "strength": 0.5, "name": "Ada"}, "2": {"skip": True}, "7": {"w": 1}}
    write_settings(tracks, settings, tmp_path / "copy.json")
    persons = read_recording(tmp_path / "copy.json").persons
    assert (persons[1].adjustment.w, persons[1].adjustment.strength, persons[1].name) == (0.2, 0.5, "Ada")
    assert (persons[2].adjustment.skip, persons[2].adjustment.w) == (True, None)
    assert tracks.read_bytes() == before


def test_what_is_not_set_here_stays_as_the_file_has_it(tracks, tmp_path):
    write_settings(tracks, {"1": {"w": 0.2, "name": "Ada"}}, tmp_path / "one.json")
    write_settings(tmp_path / "one.json", {"1": {"strength": 0.5}}, tmp_path / "two.json")
    person = read_recording(tmp_path / "two.json").persons[1]
    assert (person.adjustment.w, person.adjustment.strength, person.name) == (0.2, 0.5, "Ada")


def test_a_tracks_file_is_read_once(tracks):
    assert recording_of(tracks) is recording_of(tracks)


def test_settings_are_added_to_those_that_are_known():
    known = {"1": {"w": 0.5}}
    assert checked_settings({"1": {"skip": True}, "2": {"w": None}}, known) == {
        "1": {"w": 0.5, "skip": True},
        "2": {"w": None},
    }
    assert known == {"1": {"w": 0.5}}


@pytest.mark.parametrize(
    "given",
    [
        {"x": {}},
        {"-1": {}},
        {"1": 5},
        {"1": {"w": 1.1}},
        {"1": {"w": True}},
        {"1": {"w": "0.5"}},
        {"1": {"w": float("nan")}},
        {"1": {"strength": -0.1}},
        {"1": {"skip": None}},
        {"1": {"name": 3}},
        {"1": {"name": "x" * 61}},
        {"1": {"restorer": "../x"}},
    ],
)
def test_other_settings_are_refused(given):
    with pytest.raises(UsageError):
        checked_settings(given, {})
