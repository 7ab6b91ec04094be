"""Rolled faces are found upright: in single frames, along tracks, and at a bounded number of looks."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import skimage.data

from tests.support import photos
from tests.support.moving import detection, face_points
from tests.support.scenes import scene
from tests.support.turning import moved, turned
from vidrestore.faces.detection.detector import RetinaFaceDetector
from vidrestore.faces.detection.load import load_detector
from vidrestore.faces.detection.turned_looks import SIDE
from vidrestore.faces.face import Detection, Face
from vidrestore.faces.geometry import roll, roll_between
from vidrestore.faces.tracking.appearance import Appearance
from vidrestore.faces.tracking.live_source import LiveSource
from vidrestore.faces.tracking.tracker import CLEAR_SCORE, Track
from vidrestore.faces.tracking.upright_faces import CHECK_EVERY, UprightFaces

PLACE = (320, 200)


@cache
def detector() -> RetinaFaceDetector:
    return load_detector("retinaface_mobile0.25", "cpu", hints=True)


def find(image: np.ndarray) -> list[Detection]:
    return UprightFaces(detector())(image, detector()(image[None])[0])


def error(face: Detection | Face, landmarks: np.ndarray) -> float:
    """Mean distance of the landmarks, as a share of the distance of the eyes."""
    distances = np.linalg.norm(face.landmarks - landmarks, axis=1)
    return float(distances.mean() / np.linalg.norm(landmarks[1] - landmarks[0]))


@pytest.mark.parametrize("size", [60, 130])
@pytest.mark.parametrize("angle", range(0, 360, 30))
def test_a_face_at_any_roll_is_found_in_one_frame(angle, size):
    image, matrix = turned(scene(("collins", *PLACE, size)), angle)
    [face] = [face for face in find(image) if face.score >= CLEAR_SCORE]
    assert error(face, moved(face_points(*PLACE, size)[2:], matrix)) < 0.18


def noisy(image: np.ndarray, deviation: float) -> np.ndarray:
    """``image`` with Gaussian noise, as of film pushed in the dark."""
    noise = np.random.default_rng(1).normal(0, deviation, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("angle", [135, 330])
def test_a_rolled_face_is_found_in_strong_noise(angle):
    """There, the detector knows faces only that are within about twenty degrees of upright."""
    image, matrix = turned(scene(("collins", *PLACE, 60)), angle)
    [face] = [face for face in find(noisy(image, 50)) if face.score >= CLEAR_SCORE]
    assert error(face, moved(face_points(*PLACE, 60)[2:], matrix)) < 0.18


def test_of_a_face_rolled_by_twenty_degrees_the_turned_copy_is_used():
    """In noise, the frame as it is shows such faces in some frames only, and badly."""
    image, matrix = turned(scene(("collins", *PLACE, 130)), 22)
    points = moved(face_points(*PLACE, 130), matrix)
    rough = detection(*points.mean(axis=0), 150, score=0.6)
    wide = np.array([[-12, 0], [12, 0], [0, 0], [-12, 0], [12, 0]])
    landmarks = (points[2:] + wide).astype(np.float32)
    [face] = UprightFaces(detector())(image, [Detection(rough.box, 0.6, landmarks)])
    assert face.score >= CLEAR_SCORE
    assert error(face, points[2:]) < 0.18


@pytest.mark.parametrize("angle", [180, 330])
def test_a_doubtful_face_around_it_does_not_hide_a_rolled_one(angle):
    """In noise, the detector takes a whole figure for a face."""
    image, matrix = turned(scene(("collins", *PLACE, 110)), angle)
    [x, y] = moved(face_points(*PLACE, 110), matrix).mean(axis=0)
    figure = detection(x, y, 400, score=0.6)
    [face] = UprightFaces(detector())(image, [figure])
    assert face.score >= CLEAR_SCORE
    assert error(face, moved(face_points(*PLACE, 110)[2:], matrix)) < 0.18


@pytest.mark.parametrize(
    ("score", "size", "hidden"), [(0.6, 400, False), (0.99, 400, True), (0.6, 150, True)]
)
def test_a_doubtful_rolled_track_does_not_hide_a_clear_face_inside_it(score, size, hidden):
    """A figure may once have been taken for a rolled face, before the true one is seen. But what is clearly a
    face in its look, or is not much larger than the other, keeps its place."""
    image = scene(("collins", *PLACE, 110))
    [found] = detector()(image[None])
    [face] = [each for each in found if each.score >= CLEAR_SCORE]
    centre = face.landmarks.mean(axis=0)
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    figure = detection(*centre, size, score=0.6)
    rolled = ((figure.landmarks - centre) @ turn.T + centre).astype(np.float32)
    track = Track(Detection(figure.box, 0.6, rolled), Appearance.of(image, rolled), 0)
    track.checked, track.wait = 1, CHECK_EVERY  # so that it is followed and not searched

    def looks(images: np.ndarray) -> list[list[Detection]]:
        return [[detection(SIDE / 2, SIDE / 2, 100, score=score)] for _ in images]

    result = UprightFaces(looks)(image, [face], [track], frame=1, new_shot=False)
    assert any(each.landmarks is face.landmarks for each in result) != hidden


def test_a_rolled_face_is_found_that_is_not_the_best_place_of_its_turn():
    """In noise, the detector gives figures a score of 0.9, and the face itself 0.75."""

    def looks(images: np.ndarray) -> list[list[Detection]]:
        found = detector()(images)
        if images.shape[1:3] == (SIDE, SIDE):
            return found
        figures = [detection(120, 150, 180, score=0.999), detection(500, 330, 180, score=0.998)]
        return [[*figures, *faces] for faces in found]

    image, matrix = turned(scene(("collins", *PLACE, 60)), 150)
    [face] = UprightFaces(looks)(image, [])
    assert face.score >= CLEAR_SCORE
    assert error(face, moved(face_points(*PLACE, 60)[2:], matrix)) < 0.18


def test_upright_faces_are_left_as_they_were_found():
    image = scene(("collins", 200, 200, 120), ("hopper", 440, 200, 120))
    [found] = detector()(image[None])
    result = UprightFaces(detector())(image, found)
    assert [face.score > 0.95 for face in result] == [True, True]
    assert all(any(face.landmarks is other.landmarks for other in found) for face in result)


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "brick", "grass", "gravel"])
@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_pictures_without_faces_have_none_in_any_turn(name, scale):
    image = getattr(skimage.data, name)()
    image = np.ascontiguousarray(np.atleast_3d(image)[..., ::-1] * np.ones(3, np.uint8))
    image = image[:: int(1 / scale), :: int(1 / scale)]
    before = [face for face in detector()(image[None])[0] if face.score > 0.5]
    assert len(find(image)) <= len(before)


def tracked(images: list[np.ndarray]) -> list[tuple[Face, ...]]:
    return [faces for _, faces in LiveSource(detector()).stream(enumerate(images))]


def test_a_lying_face_is_one_track_in_all_frames():
    pictures = [turned(scene(("collins", 300 + t, 200, 110)), 95) for t in range(12)]
    found = tracked([image for image, _ in pictures])
    assert [[face.track for face in faces] for faces in found] == [[1]] * 12
    for t, ((_, matrix), [face]) in enumerate(zip(pictures, found, strict=True)):
        assert error(face, moved(face_points(300 + t, 200, 110)[2:], matrix)) < 0.18


#: Portraits that the detector finds upside down with a high score, and ones that it does not.
PORTRAITS = {
    "sure": lambda: scene(("collins", *PLACE, 110))[100:300, 220:420],
    "unsure": lambda: photos.face(200)[..., ::-1],
}


@pytest.mark.parametrize("portrait", PORTRAITS.values(), ids=PORTRAITS)
def test_no_face_of_a_group_is_shown_the_wrong_way_up(portrait):
    """They are more than are looked at in a frame; as it is, the detector takes mouths for eyes."""
    group = np.tile(portrait(), (3, 4, 1))
    found = tracked([np.ascontiguousarray(group[::-1, ::-1])] * 20)
    assert [len(faces) for faces in found[-5:]] == [12] * 5
    rolls = [roll(face.landmarks) for faces in found for face in faces]
    assert max(roll_between(angle, np.pi) for angle in rolls) < 0.3


def test_a_head_that_turns_over_stays_one_track():
    """From upright to upside down in thirty frames."""
    pictures = [turned(scene(("collins", *PLACE, 110)), 6 * t) for t in range(31)]
    found = tracked([image for image, _ in pictures])
    assert [[face.track for face in faces] for faces in found] == [[1]] * 31
    for (_, matrix), [face] in zip(pictures, found, strict=True):
        assert error(face, moved(face_points(*PLACE, 110)[2:], matrix)) < 0.2


class Counter:
    """A detector that finds nothing in turned copies, and counts them."""

    def __init__(self) -> None:
        self.images = 0

    def __call__(self, images: np.ndarray) -> list[list[Detection]]:
        self.images += len(images)
        return [[] for _ in images]


def test_looks_are_few():
    """In a crowd of upright faces, hints and unfit points that no look makes better."""
    counter = Counter()
    crowd = [detection(40 + 60 * n, 60, 40) for n in range(10)]
    crowd += [detection(40 + 60 * n, 160, 40, score=0.3) for n in range(10)]
    unfit = [detection(40 + 60 * n, 260, 40) for n in range(10)]
    crowd += [Detection(face.box, face.score, face.landmarks[[1, 0, 2, 4, 3]]) for face in unfit]
    source = LiveSource(lambda images: [crowd for _ in images], looks=counter)
    length = 2 * CHECK_EVERY
    list(source.stream((t, scene()) for t in range(length)))
    assert counter.images <= 4 * length + 16


def test_an_upright_face_is_looked_at_about_once_a_second():
    counts = []

    def looks(images: np.ndarray) -> list[list[Detection]]:
        counts.append(len(images))
        return [[detection(64, 64, 60)] for _ in images]  # in the first of four copies: upright

    source = LiveSource(lambda images: [[detection(*PLACE)] for _ in images], looks=looks)
    faces = [found for _, found in source.stream((t, scene()) for t in range(100))]
    assert [len(found) for found in faces] == [1] * 100
    assert sum(counts) <= 2 + 100 // CHECK_EVERY


def test_a_face_that_was_taken_for_upright_becomes_a_track_with_its_true_roll():
    """Looks find nothing in the first two seconds, as in a blurred stretch."""
    image, _ = turned(scene(("collins", *PLACE, 130)), 180)
    frame = 0

    def frames():
        nonlocal frame
        for frame in range(90):
            yield frame, image

    def looks(images: np.ndarray) -> list[list[Detection]]:
        return [[] for _ in images] if frame < 40 else detector()(images)

    upright = detection(*np.array(image.shape[1::-1]) / 2, 130)
    source = LiveSource(lambda images: [[upright] for _ in images], looks=looks)
    found = [faces for _, faces in source.stream(frames())]
    assert {face.track for faces in found[:36] for face in faces} == {1}
    assert {face.track for faces in found[-10:] for face in faces} == {2}
    shown = [face for faces in found for face in faces]
    rolls = {track: [roll(face.landmarks) for face in shown if face.track == track] for track in (1, 2)}
    assert max(roll_between(angle, 0) for angle in rolls[1]) < 0.2
    assert max(roll_between(angle, np.pi) for angle in rolls[2]) < 0.2
