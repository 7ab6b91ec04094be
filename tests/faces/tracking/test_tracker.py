"""Tracking made-up detections: which face is which, and what is one at all."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.support.moving import detection, jittered
from tests.support.scenes import background, scene
from vidrestore.faces.face import Detection
from vidrestore.faces.tracking.appearance import Look, look
from vidrestore.faces.tracking.tracker import CLEAR_SIGHTINGS, CLEAR_WITHIN, Track, Tracker

GAP = 25
ALL_ALIKE = look(background(), detection(300).landmarks)


def follow(
    frames: list[list[Detection]], cuts: tuple[int, ...] = (), looks: list[list[Look]] | None = None
) -> list[list[Track]]:
    looks = looks or [[ALL_ALIKE] * len(seen) for seen in frames]
    tracker = Tracker(max_gap=GAP)
    return [tracker.update(seen, looks[index], new_shot=index in cuts) for index, seen in enumerate(frames)]


def same_all_along(tracks: list[list[Track]], index: int) -> bool:
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
    assert same_all_along(tracks, 0)
    assert tracks[-1][0].id == 1


@pytest.mark.parametrize("speed", [3, 6, 12])
@pytest.mark.parametrize("hidden", [0, 5])
def test_crossing_faces_keep_their_identities(speed, hidden):
    """Two faces pass each other; the one behind may go unseen while they overlap."""
    rng = np.random.default_rng(1)
    frames = []
    for t in range(-40, 41):
        front = jittered(detection(500 + speed * t, 200), 1.5, rng)
        behind = jittered(detection(500 - speed * t, 210, 90), 1.5, rng)
        frames.append([front, behind] if abs(t) >= hidden / 2 else [front])
    tracks = follow(frames)
    assert same_all_along(tracks, 0)
    assert tracks[0][1] is tracks[-1][1]
    assert tracks[0][0] is not tracks[0][1]


# Where the two of a crossing are, as shares of the way between them, at the times -1 to 1.
CROSSINGS = {
    "pass by": lambda t: t,
    "turn back": lambda t: -abs(t),
    "stop and go on": lambda t: np.sign(t) * max(0, abs(t) - 0.15),
    "stop and turn back": lambda t: -max(0, abs(t) - 0.15),
}


@cache
def crossing(name: str) -> list[list[tuple[Detection, Look]]]:
    """Eighty frames of two people who meet, the one in front first."""
    rng = np.random.default_rng(3)
    frames = []
    for t in np.linspace(-1, 1, 81):
        place = CROSSINGS[name](t)
        front, behind = (320 + 180 * place, 200, 100), (320 - 180 * place, 208, 92)
        picture = scene(("hopper", *behind), ("collins", *front))
        seen = [jittered(detection(*person), 1.5, rng) for person in (front, behind)]
        frames.append([(person, look(picture, person.landmarks)) for person in seen])
    return frames


def meet(name: str, unseen: int, *, both: bool, looks: bool = True) -> list[list[Track]]:
    """The tracks of the two. The one behind is not detected where the other hides half of it; nor are
    ``both``, or that one alone, for ``unseen`` frames at least."""
    frames = []
    for t, (front, behind) in enumerate(crossing(name)):
        missed = abs(t - 40) <= unseen / 2
        hidden = missed or abs(front[0].box[0] - behind[0].box[0]) < 40
        frames.append(([] if both and missed else [front]) + ([] if hidden else [behind]))
    return follow(
        [[person for person, _ in seen] for seen in frames],
        looks=[[look for _, look in seen] for seen in frames] if looks else None,
    )


@pytest.mark.parametrize("unseen", [0, 4, 8, 16, 24])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("name", CROSSINGS)
def test_people_who_meet_keep_their_identities(name, both, unseen):
    tracks = [found for found in meet(name, unseen, both=both) if len(found) == 2]
    assert len({id(found[0]) for found in tracks}) == len({id(found[1]) for found in tracks}) == 1
    assert tracks[0][0] is not tracks[0][1]


def test_motion_alone_would_mistake_people_who_turn_back():
    tracks = meet("turn back", 8, both=True, looks=False)
    assert tracks[0][0] is tracks[-1][1]


def test_someone_else_in_the_same_place_is_another_track():
    people = ["hopper"] * 20 + [None] * 8 + ["collins"] * 20
    frames = [[detection(300)] if name else [] for name in people]
    looks = [
        [look(scene((name, 300, 200, 100)), seen[0].landmarks)] if name else []
        for name, seen in zip(people, frames, strict=True)
    ]
    tracks = follow(frames, looks=looks)
    assert tracks[0][0] is tracks[19][0]
    assert tracks[0][0] is not tracks[-1][0]


@pytest.mark.parametrize(("length", "survives"), [(1, True), (GAP, True), (GAP + 1, False)])
def test_a_track_outlives_missed_detections_for_so_long(length, survives):
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
        ("clear now and then", [0.99, *[0.6] * CLEAR_WITHIN] * 4, None),
    ],
)
def test_only_what_is_seen_clearly_is_a_face(label, scores, confirmed_in):
    tracker = Tracker(max_gap=GAP)
    ids = [tracker.update([detection(300, score=score)], [ALL_ALIKE])[0].id for score in scores]
    expected = [0 if confirmed_in is None or t < confirmed_in else 1 for t in range(len(scores))]
    assert ids == expected
    assert tracker.confirmed == (confirmed_in is not None)


def test_another_face_elsewhere_is_another_track():
    tracks = follow([[detection(300)], [detection(600)], [detection(300)], [detection(300, size=30)]])
    assert tracks[0][0] is tracks[2][0]
    assert len({id(found[0]) for found in tracks}) == 3


def test_tracks_do_not_hang_on_the_order_of_detections():
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
def test_where_a_moving_face_is_expected(ahead, tolerance):
    """Exactly where it goes at first; later on, ever more likely to have slowed down."""
    track = Track(detection(100), ALL_ALIKE, 0)
    for t in range(1, 15):
        track.predict()
        track.update(detection(100 + 7 * t), t)
    for _ in range(ahead):
        track.predict()
    going_on = np.array(detection(100 + 7 * (14 + ahead)).landmarks)
    assert np.all(track.points[2:, 0] > detection(100 + 7 * 14).landmarks[:, 0])
    np.testing.assert_allclose(track.points[2:], going_on, atol=tolerance)
