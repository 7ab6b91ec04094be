"""The history of one track: when its face is shown, its strength, and what is forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pytest

from tests.support.moving import face_points
from tests.support.scenes import background, scene
from vidrestore.faces.tracking.appearance import Appearance
from vidrestore.faces.tracking.gap_filling import SHORT, SearchImage, Sighting
from vidrestore.faces.tracking.track_history import FADE, TrackHistory
from vidrestore.faces.tracking.tracker import CLEAR_SIGHTINGS

NOTHING = SearchImage(background(), np.empty((0, 4)))
APPEARANCE = Appearance.of(scene(("collins", 300, 200, 100)), face_points(300, 200)[2:])
RISE = [(k + 1) / (FADE + 1) for k in range(FADE)]


def history(frames: Iterable[int], *, opens_shot: bool = False, image: SearchImage = NOTHING) -> TrackHistory:
    """A still face with sightings in ``frames``; between them is ``image``, in which it is not to be seen."""
    made: TrackHistory | None = None
    for frame in frames:
        made = made or TrackHistory(frame, opens_shot=opens_shot)
        made.add(Sighting(frame, face_points(300, 200), APPEARANCE), [image] * 32)
    assert made is not None
    return made


def strengths(track: TrackHistory, length: int, *, ends_shot: bool = False) -> list[float]:
    faces = [track.face(frame, ends_shot=ends_shot) for frame in range(length)]
    return [face.strength if face else 0.0 for face in faces]


def test_a_track_is_shown_once_it_is_confirmed():
    track = history(range(20))
    assert track.face(10, ends_shot=False) is None
    track.confirm(7, shown_from=0)
    face = track.face(10, ends_shot=False)
    assert face is not None
    assert (face.track, face.strength) == (7, 1.0)
    np.testing.assert_allclose(face.landmarks, face_points(300, 200)[2:], atol=1e-3)
    assert face.box.dtype == face.landmarks.dtype == np.float32


@pytest.mark.parametrize(("opens", "ends"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_face_fades_except_at_cuts(opens, ends):
    track = history(range(2, 22), opens_shot=opens)
    track.confirm(1, shown_from=0)
    expected = [0, 0, *([1] * FADE if opens else RISE), *[1] * (20 - 2 * FADE)]
    expected += [*([1] * FADE if ends else RISE[::-1]), 0]
    assert strengths(track, 23, ends_shot=ends) == pytest.approx(expected)


def test_frames_that_have_left_stay_without_the_face():
    track = history(range(20))
    track.confirm(1, shown_from=8)
    assert strengths(track, 13) == pytest.approx([0] * 8 + RISE)


def test_an_absence_splits_the_track():
    track = history([*range(10), *range(20, 30)])
    track.confirm(1, shown_from=0)
    assert strengths(track, 30) == pytest.approx([*RISE, *RISE[::-1], *[0] * 10, *RISE, *RISE[::-1]])


@pytest.mark.parametrize("count", [1, SHORT, SHORT + 1, 12])
def test_a_face_fades_beside_frames_in_which_its_points_do_not_fit(count):
    """It looks down: there it is left alone, which was from one frame to the next."""
    unfit, track = range(20, 20 + count), TrackHistory(0, opens_shot=True)
    points = face_points(300, 200)
    folded = points.copy()
    folded[2:] = folded[2:].mean(axis=0)
    for frame in range(50):
        track.add(Sighting(frame, folded if frame in unfit else points, APPEARANCE), [NOTHING] * 32)
    track.confirm(1, shown_from=0)
    again = TrackHistory.from_state(json.loads(json.dumps(track.state())))
    for known in (track, again):
        shown = [s for frame, s in enumerate(strengths(known, 45)) if frame not in unfit]
        if count <= SHORT:  # a mistake of the detector
            assert shown == [1.0] * len(shown)
        else:
            expected = [*[1.0] * (20 - FADE), *RISE[::-1], *RISE, *[1.0] * 45]
            assert shown == pytest.approx(expected[: len(shown)])


def test_a_frame_without_a_detection_says_so():
    shown = SearchImage(scene(("collins", 300, 200, 100)), np.empty((0, 4)))
    track = history([*range(10), *range(12, 20)], image=shown)
    track.confirm(1, shown_from=0)
    again = TrackHistory.from_state(track.state())
    for known in (track, again):
        scores = [known.face(frame, ends_shot=False).score for frame in range(20)]
        assert scores == [1.0] * 10 + [0.0] * 2 + [1.0] * 8


def test_what_hides_a_face_for_a_moment_is_left_alone():
    track = history([*range(10), *range(12, 30)])
    track.confirm(1, shown_from=0)
    expected = [*RISE, *[1] * 5, 0, 0, *[1] * 13, *RISE[::-1]]
    again = TrackHistory.from_state(json.loads(json.dumps(track.state())))
    for known in (track, again):
        assert strengths(known, 30) == pytest.approx(expected)
    track.forget(before=11)
    assert track.state()["hidden"] == [11]


def test_too_few_sightings_between_absences_are_not_shown():
    track = history([*range(10), *range(20, 20 + CLEAR_SIGHTINGS - 1), *range(30, 40)])
    track.confirm(1, shown_from=0)
    assert strengths(track, 30)[10:] == [0] * 20


def test_old_sightings_are_forgotten():
    track = history(range(20))
    track.forget(before=12)
    assert track.state()["frames"] == list(range(12, 20))
    assert track.last == 19


def test_a_history_survives_json():
    track = history([*range(10), *range(20, 30)], opens_shot=True)
    track.confirm(3, shown_from=0)
    resumed = TrackHistory.from_state(json.loads(json.dumps(track.state())))
    assert strengths(resumed, 30) == strengths(track, 30)
    assert json.dumps(resumed.state()) == json.dumps(track.state())
