"""Synthetic detections are assigned to tracks, and tracks are confirmed to be faces."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.support.moving import detection, jittered
from tests.support.scenes import background, scene
from vidrestore.faces.face import Detection
from vidrestore.faces.tracking.appearance import Appearance
from vidrestore.faces.tracking.tracker import CLEAR_SIGHTINGS, CLEAR_WITHIN, Track, Tracker

GAP = 25
SAME_FOR_ALL = Appearance.of(background(), detection(300).landmarks)


def follow(
    frames: list[list[Detection]],
    cuts: tuple[int, ...] = (),
    appearances: list[list[Appearance]] | None = None,
) -> list[list[Track]]:
    appearances = appearances or [[SAME_FOR_ALL] * len(seen) for seen in frames]
    tracker = Tracker(max_gap=GAP)
    tracks = []
    for index, seen in enumerate(frames):
        tracker.advance(new_shot=index in cuts)
        tracks.append(tracker.update(seen, appearances[index]))
    return tracks


def one_track_throughout(tracks: list[list[Track]], index: int) -> bool:
    return len({id(found[index]) for found in tracks}) == 1


MOTIONS = {
    "still": lambda t: (300, 200, 100),
    "walk": lambda t: (100 + 5 * t, 200, 100),
    "run": lambda t: (50 + 30 * t, 200, 100),
    "shake": lambda t: (300 + 30 * np.sin(2 * np.pi * t / 12), 200, 100),
    "approach": lambda t: (300, 200, 40 * 1.04**t),
    "tiny": lambda t: (30 + t / 2, 20, 12),
}


@pytest.mark.parametrize("name", MOTIONS)
def test_a_moving_face_is_one_track(name):
    rng = np.random.default_rng(0)
    frames = []
    for t in range(60):
        x, y, size = MOTIONS[name](t)
        frames.append([jittered(detection(x, y, size), 0.02 * size, rng)])
    tracks = follow(frames)
    assert one_track_throughout(tracks, 0)
    assert tracks[-1][0].id == 1


@pytest.mark.parametrize("speed", [3, 6, 12])
@pytest.mark.parametrize("hidden", [0, 5])
def test_crossing_faces_keep_their_tracks(speed, hidden):
    """Two faces pass each other; the one behind may go undetected while they overlap."""
    rng = np.random.default_rng(1)
    frames = []
    for t in range(-40, 41):
        front = jittered(detection(500 + speed * t, 200), 1.5, rng)
        behind = jittered(detection(500 - speed * t, 210, 90), 1.5, rng)
        frames.append([front, behind] if abs(t) >= hidden / 2 else [front])
    tracks = follow(frames)
    assert one_track_throughout(tracks, 0)
    assert tracks[0][1] is tracks[-1][1]
    assert tracks[0][0] is not tracks[0][1]


# Positions of two people who meet, relative to the point in the middle, at times from -1 to 1.
CROSSINGS = {
    "pass by": lambda t: t,
    "turn back": lambda t: -abs(t),
    "stop and go on": lambda t: np.sign(t) * max(0, abs(t) - 0.15),
    "stop and turn back": lambda t: -max(0, abs(t) - 0.15),
}


@cache
def crossing(name: str) -> list[list[tuple[Detection, Appearance]]]:
    """81 frames of two people who meet; the first of each pair is in front."""
    rng = np.random.default_rng(3)
    frames = []
    for t in np.linspace(-1, 1, 81):
        place = CROSSINGS[name](t)
        front, behind = (320 + 180 * place, 200, 100), (320 - 180 * place, 208, 92)
        picture = scene(("hopper", *behind), ("collins", *front))
        seen = [jittered(detection(*person), 1.5, rng) for person in (front, behind)]
        frames.append([(person, Appearance.of(picture, person.landmarks)) for person in seen])
    return frames


def meet(name: str, unseen: int, *, both: bool, use_appearance: bool = True) -> list[list[Track]]:
    """The tracks of two people who meet.

    The one behind is not detected while the other hides half of it. For at least ``unseen`` frames, that
    one, or with ``both`` each of the two, is not detected.
    """
    frames = []
    for t, (front, behind) in enumerate(crossing(name)):
        missed = abs(t - 40) <= unseen / 2
        hidden = missed or abs(front[0].box[0] - behind[0].box[0]) < 40
        frames.append(([] if both and missed else [front]) + ([] if hidden else [behind]))
    return follow(
        [[person for person, _ in seen] for seen in frames],
        appearances=[[appearance for _, appearance in seen] for seen in frames] if use_appearance else None,
    )


@pytest.mark.parametrize("unseen", [0, 4, 8, 16, 24])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("name", CROSSINGS)
def test_people_who_meet_keep_their_tracks(name, both, unseen):
    tracks = [found for found in meet(name, unseen, both=both) if len(found) == 2]
    assert len({id(found[0]) for found in tracks}) == len({id(found[1]) for found in tracks}) == 1
    assert tracks[0][0] is not tracks[0][1]


def test_motion_alone_confuses_people_who_turn_back():
    tracks = meet("turn back", 8, both=True, use_appearance=False)
    assert tracks[0][0] is tracks[-1][1]


def test_another_person_in_the_same_place_is_another_track():
    people = ["hopper"] * 20 + [None] * 8 + ["collins"] * 20
    frames = [[detection(300)] if name else [] for name in people]
    appearances = [
        [Appearance.of(scene((name, 300, 200, 100)), seen[0].landmarks)] if name else []
        for name, seen in zip(people, frames, strict=True)
    ]
    tracks = follow(frames, appearances=appearances)
    assert tracks[0][0] is tracks[19][0]
    assert tracks[0][0] is not tracks[-1][0]


@pytest.mark.parametrize(("length", "survives"), [(1, True), (GAP, True), (GAP + 1, False)])
def test_a_track_outlives_gaps_up_to_the_limit(length, survives):
    positions = np.arange(30 + length) * 3.0
    frames = [[detection(x)] if not 15 <= t < 15 + length else [] for t, x in enumerate(positions)]
    tracks = follow(frames)
    assert (tracks[0][0] is tracks[-1][0]) == survives


@pytest.mark.parametrize("cut", [5, 12])
def test_no_track_crosses_a_cut(cut):
    tracks = follow([[detection(300)]] * 20, cuts=(0, cut))
    assert tracks[0][0] is tracks[cut - 1][0]
    assert tracks[cut][0] is not tracks[cut - 1][0]
    assert tracks[cut][0] is tracks[-1][0]


@pytest.mark.parametrize(
    ("label", "scores", "confirmed_in"),
    [
        ("clear", [0.99] * 8, CLEAR_SIGHTINGS - 1),
        ("never clear", [0.9] * 8, None),
        ("once", [0.99], None),
        ("twice", [0.99, 0.99, 0.6, 0.6], None),
        ("late", [0.6] * 5 + [0.99] * 3, 7),
        ("clear too rarely", [0.99, *[0.6] * CLEAR_WITHIN] * 4, None),
    ],
)
def test_only_clear_detections_confirm_a_face(label, scores, confirmed_in):
    tracker = Tracker(max_gap=GAP)
    ids = []
    for score in scores:
        tracker.advance()
        ids.append(tracker.update([detection(300, score=score)], [SAME_FOR_ALL])[0].id)
    expected = [0 if confirmed_in is None or t < confirmed_in else 1 for t in range(len(scores))]
    assert ids == expected
    assert tracker.confirmed == (confirmed_in is not None)


@pytest.mark.parametrize(("degrees", "same"), [(30, True), (80, True), (100, False), (180, False)])
def test_a_face_does_not_turn_over_within_a_frame(degrees, same):
    """Its orientation was found wrong in one of the two."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    upright = detection(300)
    turned = replace(upright, landmarks=((upright.landmarks - (300, 200)) @ turn + (300, 200)))
    tracks = follow([[upright]] * 5 + [[turned]] * 5)
    assert one_track_throughout(tracks, 0) == same


def test_a_face_in_another_place_is_another_track():
    tracks = follow([[detection(300)], [detection(600)], [detection(300)], [detection(300, size=30)]])
    assert tracks[0][0] is tracks[2][0]
    assert len({id(found[0]) for found in tracks}) == 3


def test_tracks_do_not_depend_on_the_order_of_detections():
    rng = np.random.default_rng(2)
    frames = [[jittered(detection(x + 3 * t), 1, rng) for x in (150, 400, 650)] for t in range(20)]
    orders = [rng.permutation(3) for _ in frames]
    shuffled = [[seen[index] for index in order] for seen, order in zip(frames, orders, strict=True)]
    plain = [[track.id for track in found] for found in follow(frames)]
    other = [
        [found[int(np.flatnonzero(order == index)[0])].id for index in range(3)]
        for found, order in zip(follow(shuffled), orders, strict=True)
    ]
    assert other == plain
    assert plain[-1] == [1, 2, 3]


def test_frames_without_faces():
    assert follow([[]] * 5) == [[]] * 5


@pytest.mark.parametrize(("ahead", "tolerance"), [(1, 1.0), (5, 8.0), (25, 120.0)])
def test_prediction_of_a_moving_face(ahead, tolerance):
    """Exact at first; further ahead the predicted velocity decreases."""
    track = Track(detection(100), SAME_FOR_ALL, 0)
    for t in range(1, 15):
        track.predict()
        track.update(detection(100 + 7 * t), t)
    for _ in range(ahead):
        track.predict()
    constant = np.array(detection(100 + 7 * (14 + ahead)).landmarks)
    assert np.all(track.points[2:, 0] > detection(100 + 7 * 14).landmarks[:, 0])
    np.testing.assert_allclose(track.points[2:], constant, atol=tolerance)


def test_a_track_is_predicted_over_frames_that_are_left_out():
    tracker = Tracker(max_gap=GAP)
    for number in (*range(40, 50), 53):
        tracker.advance(number)
        assert tracker.frame == number
        if number < 50:
            tracker.update([detection(300 + 3 * number)], [SAME_FOR_ALL])
    [track] = tracker.tracks
    assert track.box[0] == pytest.approx(detection(300 + 3 * 53).box[0], abs=3)
