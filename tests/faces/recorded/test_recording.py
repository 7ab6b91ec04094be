"""The faces of a video in memory."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.recordings import STEP, face, recording
from vidrestore.faces.face import TrackSettings
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
