"""The live source with scripted detections: which faces are shown, where, and with what strength."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.support.moving import detection, error, face_points, jitter, jittered
from tests.support.scenes import scene
from tests.support.scripted_video import Script, ScriptedVideo, face_during
from vidrestore.faces.face import Detection, Face
from vidrestore.faces.tracking.gap_filling import SHORT
from vidrestore.faces.tracking.live_source import WINDOW, LiveSource
from vidrestore.faces.tracking.smoothing import REACH
from vidrestore.faces.tracking.track_history import FADE

GAP = WINDOW - FADE  # the longest gap that is filled
RISE = [(k + 1) / (FADE + 1) for k in range(FADE)]


def strengths(faces: list[tuple[Face, ...]]) -> list[float]:
    """Strength of the face in each frame of a video with at most one face; 0 if there is none."""
    return [found[0].strength if found else 0.0 for found in faces]


@pytest.mark.parametrize("length", [0, 1, 2, WINDOW, WINDOW + 1, 70])
def test_a_video_without_faces_passes_unchanged(length):
    assert ScriptedVideo(length, lambda t: []).faces() == [()] * length


def test_a_face_in_every_frame():
    video = ScriptedVideo(60, face_during((0, 60)))
    source = LiveSource(video.detector)
    faces = [found for _, found in source.stream(video.items())]
    assert strengths(faces) == [1.0] * 60
    assert {found[0].track for found in faces} == {1}
    assert (source.tracks, source.faces) == (1, 60)
    np.testing.assert_allclose(faces[30][0].landmarks, face_points(300, 200)[2:], atol=1e-2)
    np.testing.assert_allclose(faces[30][0].box, face_points(300, 200)[:2].ravel(), atol=1e-2)
    assert faces[30][0].box.dtype == faces[30][0].landmarks.dtype == np.float32


@pytest.mark.parametrize(
    ("label", "ranges"),
    [("one frame", [(30, 31)]), ("two frames", [(30, 32)]), ("now and then", [(10, 11), (30, 31), (50, 51)])],
)
def test_false_detections_are_dropped(label, ranges):
    assert strengths(ScriptedVideo(70, face_during(*ranges)).faces()) == [0.0] * 70


def test_faces_that_are_never_clear_are_dropped():
    assert strengths(ScriptedVideo(60, face_during((0, 60), score=0.9)).faces()) == [0.0] * 60


def test_a_face_fades_in_after_its_first_detection_and_out_before_its_last():
    found = strengths(ScriptedVideo(80, face_during((20, 50))).faces())
    assert found == pytest.approx([0] * 20 + RISE + [1] * (30 - 2 * FADE) + RISE[::-1] + [0] * 30)


def test_a_brief_face_does_not_reach_full_strength():
    found = strengths(ScriptedVideo(60, face_during((20, 24))).faces())
    assert found[20:24] == pytest.approx([RISE[0], RISE[1], RISE[1], RISE[0]])
    assert sum(found) == pytest.approx(sum(found[20:24]))


def test_a_cut_hides_the_change():
    """A face present when its shot starts or ends has full strength there."""
    found = ScriptedVideo(90, face_during((0, 70)), cuts=(30, 60)).faces()
    assert strengths(found) == pytest.approx([1] * 60 + [1] * (10 - FADE) + RISE[::-1] + [0] * 20)
    assert [found[t][0].track for t in (0, 29, 30, 59, 60, 69)] == [1, 1, 2, 2, 3, 3]


def test_nothing_is_smoothed_across_a_cut():
    video = ScriptedVideo(60, lambda t: [detection(300 if t < 30 else 320)], cuts=(30,))
    found = [faces[0].landmarks for faces in video.faces()]
    np.testing.assert_allclose(found[29], face_points(300, 200)[2:], atol=1e-2)
    np.testing.assert_allclose(found[30], face_points(320, 200)[2:], atol=1e-2)


def walk(t: int) -> tuple[float, float, float]:
    """Position (x, y) and size of someone who walks with a sway."""
    return 120 + 3 * t, 200 + 12 * np.sin(2 * np.pi * t / 40), 100 + 0.2 * t


@cache
def drawn(t: int) -> np.ndarray:
    return scene(("collins", *walk(t)))


def walking(missed: range) -> Script:
    """Detected in all frames but ``missed``."""
    return lambda t: [] if t in missed else [detection(*walk(t))]


FADING = [*[1.0] * (40 - FADE), *RISE[::-1]]  # of a face in the first forty frames


@pytest.mark.parametrize("length", [1, SHORT, SHORT + 1, 10, GAP])
def test_gaps_are_filled_while_the_face_is_present(length):
    gap = range(40, 40 + length)
    faces = ScriptedVideo(110, walking(gap), draw=drawn).faces()
    assert strengths(faces) == [1.0] * 110
    assert {found[0].track for found in faces} == {1}
    found = np.stack([faces[t][0].landmarks for t in gap])
    assert error(found, np.stack([face_points(*walk(t))[2:] for t in gap])) < 1.2


def covered_over(t: int) -> np.ndarray:
    """A skin-coloured block, like a hand, in front of the face."""
    image = drawn(t).copy()
    x, y, _ = walk(t)
    image[int(y) - 60 : int(y) + 60, int(x) - 45 : int(x) + 45] = 110, 140, 190
    return image


ABSENCES = {
    "gone": lambda t: scene(),
    "another person": lambda t: scene(("hopper", *walk(t))),
    "behind an object": covered_over,
}


@pytest.mark.parametrize("absence", ABSENCES)
@pytest.mark.parametrize("length", [SHORT + 1, 10, GAP])
def test_gaps_without_the_face_are_not_filled(absence, length):
    gap = range(40, 40 + length)
    video = ScriptedVideo(110, walking(gap), draw=lambda t: ABSENCES[absence](t) if t in gap else drawn(t))
    found = strengths(video.faces())
    assert found == pytest.approx(FADING + [0] * length + RISE + [1] * (110 - len(FADING) - length - FADE))


@pytest.mark.parametrize("absence", ["gone", "behind an object"])
@pytest.mark.parametrize("length", [1, SHORT])
def test_what_passes_in_front_of_a_face_is_left_as_it_is(absence, length):
    """And the face does not fade beside it."""
    gap = range(40, 40 + length)
    video = ScriptedVideo(110, walking(gap), draw=lambda t: ABSENCES[absence](t) if t in gap else drawn(t))
    found = video.faces()
    assert [t for t, faces in enumerate(found) if not faces] == list(gap)
    assert {face.track for faces in found for face in faces} == {1}
    assert strengths(found)[39 - length : 39] == [1.0] * length


def test_a_gap_is_filled_as_long_as_the_face_is_present():
    """Undetected for twenty frames, absent in the last twelve of them."""
    video = ScriptedVideo(110, walking(range(32, 52)), draw=lambda t: scene() if 40 <= t < 52 else drawn(t))
    assert strengths(video.faces()) == pytest.approx(FADING + [0] * 12 + RISE + [1] * (110 - 52 - FADE))


def test_one_false_detection_does_not_show_a_face_again():
    video = ScriptedVideo(80, lambda t: [detection(300)] if t < 40 or t == 55 else [])
    assert strengths(video.faces()) == pytest.approx(FADING + [0] * 40)


def test_a_face_behind_another_is_not_filled_in():
    """Hidden for six frames while the other passes in front of it, then shown as the same track."""
    hidden = range(37, 43)

    def script(t: int) -> list[Detection]:
        front, behind = detection(300 + 9 * (t - 40)), detection(300 - 9 * (t - 40), size=90)
        return [front] if t in hidden else [front, behind]

    faces = ScriptedVideo(80, script).faces()
    assert [len(found) for found in faces] == [1 if t in hidden else 2 for t in range(80)]
    assert [face.track for face in faces[30]] == [face.track for face in faces[50]]
    assert faces[30][1].landmarks[0, 0] > faces[30][0].landmarks[0, 0]
    assert faces[50][1].landmarks[0, 0] < faces[50][0].landmarks[0, 0]
    assert [faces[t][0].strength for t in range(80)] == [1.0] * 80
    behind = [faces[t][1].strength for t in range(80) if t not in hidden]
    assert behind == pytest.approx([1] * (37 - FADE) + RISE[::-1] + RISE + [1] * (37 - FADE))


@pytest.mark.parametrize(
    ("then", "shown"),
    [
        (lambda: ("collins", 430, 200, 100), [1.0] * 80),
        (lambda: ("collins", 300, 200, 210), [1.0] * 80),
        (lambda: ("hopper", 430, 200, 100), [*FADING, *RISE, *[1.0] * 35]),
    ],
    ids=["a jump", "a punch-in", "another person"],
)
def test_a_face_that_jumps_does_not_fade(then, shown):
    """Its track ends, as where there are few frames per second, and another one begins."""

    def place(t: int) -> tuple[str, float, float, float]:
        return ("collins", 300, 200, 100) if t < 40 else then()

    faces = ScriptedVideo(80, lambda t: [detection(*place(t)[1:])], draw=lambda t: scene(place(t))).faces()
    assert strengths(faces) == pytest.approx(shown)
    assert [faces[t][0].track for t in (39, 40)] == [1, 2]
    # Nothing is smoothed from one place to the other.
    for t in (39, 40):
        np.testing.assert_allclose(faces[t][0].landmarks, face_points(*place(t)[1:])[2:], atol=0.5)


@pytest.mark.parametrize("beside", [0, 25])
def test_one_false_detection_over_a_face_does_not_make_it_fade(beside):
    """In one frame the detector finds something else in the face's place, of another size."""

    def script(t: int) -> list[Detection]:
        x, y, size = walk(t)
        return [detection(x + beside, y, 2.2 * size)] if t == 40 else [detection(x, y, size)]

    faces = ScriptedVideo(80, script, draw=drawn).faces()
    assert strengths(faces) == [1.0] * 80
    assert {found[0].track for found in faces} == {1}


def test_a_face_is_another_track_after_a_longer_gap():
    faces = ScriptedVideo(120, walking(range(40, 40 + GAP + 1)), draw=drawn).faces()
    expected = FADING + [0] * (GAP + 1) + RISE
    assert strengths(faces) == pytest.approx(expected + [1] * (120 - len(expected)))
    assert faces[0][0].track != faces[-1][0].track


def test_a_face_that_becomes_clear_late_fades_in_a_window_before():
    """Sixty frames of low scores, then high ones: frames that have left the window stay unchanged."""
    video = ScriptedVideo(120, lambda t: [detection(300, score=0.6 if t < 60 else 0.99)])
    start = 62 - WINDOW
    assert strengths(video.faces()) == pytest.approx([0] * start + RISE + [1] * (120 - start - FADE))


@pytest.mark.parametrize("batch", [2, 3, 8, 200])
def test_the_batch_size_of_the_detector_has_no_effect(batch):
    def script(t: int) -> list[Detection]:
        rng = np.random.default_rng(t)
        people = [detection(500 - 9 * t), detection(100 + 6 * t, 230, 80)]
        return [jittered(person, 1.0, rng) for person in people if rng.random() < 0.8]

    cuts = (33, 71)
    single = ScriptedVideo(100, script, cuts).faces()
    batched_video = ScriptedVideo(100, script, cuts)
    batched = batched_video.faces(batch=batch)
    assert max(batched_video.batches) == min(batch, 100)
    assert sum(map(len, single)) > 150
    for a, b in zip(single, batched, strict=True):
        assert [(face.track, face.strength) for face in a] == [(face.track, face.strength) for face in b]
        for one, other in zip(a, b, strict=True):
            np.testing.assert_array_equal(one.landmarks, other.landmarks)
            np.testing.assert_array_equal(one.box, other.box)


@pytest.mark.parametrize("begin", [17, 50])
def test_faces_depend_only_on_the_frames_in_the_window(begin):
    """A video that starts later has the same faces one window later, apart from their ids."""

    def script(t: int) -> list[Detection]:
        missed = t % 7 == 0 or 60 <= t < 70 or 100 <= t < 120
        return [] if missed else [jittered(detection(*walk(t)), 1.0, np.random.default_rng(t))]

    def draw(t: int) -> np.ndarray:
        return scene() if 108 <= t < 115 else drawn(t)

    whole = ScriptedVideo(150, script, draw=draw).faces()
    part = ScriptedVideo(150 - begin, lambda t: script(t + begin), draw=lambda t: draw(t + begin)).faces()
    assert {len(found) for found in whole[begin + WINDOW :]} == {0, 1}
    for one, other in zip(whole[begin + WINDOW :], part[WINDOW:], strict=True):
        assert [face.strength for face in one] == [face.strength for face in other]
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.landmarks, b.landmarks)


@pytest.mark.parametrize("batch", [1, 4])
def test_frames_are_delayed_by_the_window_only(batch):
    video = ScriptedVideo(80, face_during((0, 80)))
    for number, _ in enumerate(LiveSource(video.detector, batch=batch).stream(video.items())):
        assert video.taken <= min(80, number + WINDOW + batch)
        assert video.taken >= min(80, number + WINDOW + 1)


def same(a: tuple[Face, ...], b: tuple[Face, ...]) -> bool:
    return [(face.strength, face.score) for face in a] == [(face.strength, face.score) for face in b] and all(
        np.array_equal(one.box, other.box) and np.array_equal(one.landmarks, other.landmarks)
        for one, other in zip(a, b, strict=True)
    )


def busy(t: int) -> list[Detection]:
    """A face that is missed now and then, for long, and beyond cuts; one that comes and goes; false ones."""
    rng = np.random.default_rng(t)
    found = [] if t % 7 == 0 or 64 <= t < 82 else [detection(*walk(t))]
    found += [detection(520, 120, 60, score=0.96)] if 20 <= t < 52 or 84 <= t < 97 or t >= 130 else []
    found += [detection(90, 330, 50)] if rng.random() < 0.08 else []
    return [jittered(face, 1.0, rng) for face in found]


def test_an_eager_source_shows_the_same_faces():
    shown, eager = (
        ScriptedVideo(110, busy, (33, 58), draw=drawn).faces(eager=eager) for eager in (False, True)
    )
    assert {len(found) for found in shown} >= {0, 1, 2}
    assert len(eager) == len(shown)
    for number, (a, b) in enumerate(zip(shown, eager, strict=True)):
        assert same(a, b), number
        assert [face.track for face in a] == [face.track for face in b]


def test_an_eager_source_reads_a_window_only_where_a_face_is_missing():
    video = ScriptedVideo(120, face_during((0, 60), (90, 120)))
    source = LiveSource(video.detector, eager=True)
    ahead = [video.taken - number for number, _ in enumerate(source.stream(video.items()), 1)]
    assert ahead[30] == REACH
    assert ahead[58] > REACH
    assert ahead[95] == REACH


def test_frames_of_a_lead_may_be_left_out():
    """Of the frames before 64 each fourth is looked at; the face is missing around the change."""

    def script(t: int) -> list[Detection]:
        missed = t % 7 == 0 or 50 <= t < 70
        return [] if missed else [jittered(detection(*walk(t)), 1.0, np.random.default_rng(t))]

    whole = ScriptedVideo(100, script, draw=drawn).faces()
    video = ScriptedVideo(100, script, draw=drawn)
    source = LiveSource(video.detector, number=lambda frame: int(frame.split()[1]))
    items = (item for number, item in enumerate(video.items()) if number % 4 == 0 or number >= 64)
    part = dict(source.stream(items))
    assert all(same(whole[t], part[f"frame {t}"]) for t in range(71 + REACH, 100))
    assert {faces[0].track for faces in part.values() if faces} == {1}


def test_detections_are_scaled_to_the_frame():
    faces = ScriptedVideo(20, face_during((0, 20))).faces(scale=(2.0, 3.0))
    np.testing.assert_allclose(faces[9][0].landmarks, face_points(300, 200)[2:] * (2, 3), atol=1e-2)
    np.testing.assert_allclose(faces[9][0].box, (face_points(300, 200)[:2] * (2, 3)).ravel(), atol=1e-2)


def test_a_moving_face_has_less_jitter_than_its_detections():
    rng = np.random.default_rng(0)
    x = 300 + 60 * np.sin(2 * np.pi * np.arange(100) / 50)
    raw = [jittered(detection(place), 1.0, rng) for place in x]
    faces = ScriptedVideo(100, lambda t: [raw[t]]).faces()
    truth = np.stack([face_points(place, 200)[2:] for place in x])
    before = np.stack([found.landmarks for found in raw])
    after = np.stack([found[0].landmarks for found in faces])
    assert jitter(after, truth) < jitter(before, truth) / 10
    assert error(after, truth) < error(before, truth) / 1.8


@pytest.mark.parametrize("settings", [{"batch": 0}, {"window": FADE}])
def test_invalid_arguments(settings):
    with pytest.raises(ValueError, match="not"):
        LiveSource(lambda images: [], **settings)
