"""The faces of a video in memory."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.recordings import STEP, face, recording
from vidrestore.faces.face import Adjustment, PersonSettings, Span, TrackSettings
from vidrestore.faces.recorded.recording import TrackSummary


def test_the_summary_of_tracks():
    assert recording().summary() == {
        1: TrackSummary(first=2.0, last=3.12, frames=29, size=100),
        2: TrackSummary(first=2.0, last=2.36, frames=10, size=201),
    }


def test_faces_are_found_by_timestamp():
    made = recording()
    [first, second] = made.faces_at(3000)
    assert (first.track, second.track) == (1, 2)
    np.testing.assert_allclose(first.landmarks, face(1, 100.0).landmarks)
    assert first.strength == pytest.approx(1 / 6)
    assert made.faces_at(3000 + STEP * 29) == ()
    assert made.faces_at(3001) is None
    assert (made.frames, made.faces) == (30, 39)
    assert list(made.timestamps) == [3000 + STEP * n for n in range(30)]


def test_new_tracks_get_default_settings():
    assert recording().settings == {1: TrackSettings(), 2: TrackSettings()}


def test_the_most_specific_setting_counts():
    made = recording()
    made.persons[7] = PersonSettings(Adjustment(w=0.1, strength=0.2, skip=True))
    spans = (Span(2.04, 2.12, Adjustment(w=0.8)), Span(2.08, 2.08, Adjustment(w=0.9, strength=1.0)))
    made.settings[1] = TrackSettings(Adjustment(skip=False), person=7, spans=spans)
    found = [made.adjustment(1, 3000 + STEP * n) for n in range(5)]
    assert found == [
        Adjustment(0.1, 0.2, False),
        Adjustment(0.8, 0.2, False),
        Adjustment(0.9, 1.0, False),
        Adjustment(0.8, 0.2, False),
        Adjustment(0.1, 0.2, False),
    ]
    assert made.adjustment(2, 3000) == Adjustment()


def test_a_person_that_is_not_listed_sets_nothing():
    made = recording()
    made.settings[1] = TrackSettings(Adjustment(w=0.4), person=3)
    assert made.adjustment(1, 3000) == Adjustment(w=0.4)
