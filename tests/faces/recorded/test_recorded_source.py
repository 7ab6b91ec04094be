"""A recording is played back, if it belongs to the video."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from tests.support.recordings import ORIGIN, STEP, recording
from vidrestore.errors import InputError, UsageError
from vidrestore.faces.face import Adjustment, Face, PersonSettings, Span, TrackSettings
from vidrestore.faces.recorded.recorded_source import RecordedSource, check_origin, set_w
from vidrestore.faces.recorded.recording import Recording


def play(made: Recording, frames: list[int]) -> tuple[RecordedSource, list[tuple[Face, ...]]]:
    """Play back ``frames``, which are timestamps; return the source and the faces of each frame."""
    source = RecordedSource(made, pts=int)
    played = list(source.stream((pts, None) for pts in frames))
    assert [pts for pts, _ in played] == frames
    return source, [faces for _, faces in played]


@pytest.mark.parametrize(("begin", "end"), [(0, 30), (11, 30), (5, 17), (29, 30)])
def test_part_of_a_video_has_its_own_faces(begin, end):
    made = recording()
    whole = play(made, list(made.timestamps))[1]
    part = play(made, list(made.timestamps)[begin:end])[1]
    shown = [[(f.track, *f.landmarks.ravel().tolist(), f.strength) for f in faces] for faces in whole]
    assert [[(f.track, *f.landmarks.ravel().tolist(), f.strength) for f in faces] for faces in part] == (
        shown[begin:end]
    )


def test_frames_are_not_held_back():
    made = recording()
    taken = []
    items = ((pts, taken.append(pts)) for pts in made.timestamps)
    for number, _ in enumerate(RecordedSource(made, pts=int).stream(items), 1):
        assert len(taken) == number


@pytest.mark.parametrize(
    ("label", "frames", "fails"),
    [
        ("other timestamps from the first on", [3001, 3041, 3081], True),
        ("another timestamp in between", [*range(3000, 3400, STEP), 3401], True),
        ("beyond the end", [*range(3000, 4200, STEP), 4200], True),
        ("one of many", [*range(10_000, 18_000, STEP), 18_001], False),
        ("three of many", [*range(10_000, 18_000, STEP), 18_001, 18_002, 18_003], True),
    ],
)
def test_another_video_is_refused(label, frames, fails, caplog):
    made = recording()
    for pts in range(10_000, 18_000, STEP):
        made.add(pts, [])
    if fails:
        with pytest.raises(InputError, match=r"no frame at [\d.]+ s \(timestamp \d+\).* another video"):
            play(made, frames)
    else:
        assert play(made, frames)[1][-1] == ()
        assert "1 frames are not in the record" in caplog.text


@pytest.mark.parametrize(("unknown", "fails"), [(1, False), (3, True)])
def test_frames_that_are_missing_count_alike_after_resuming(unknown, fails, caplog):
    """As in one go: against the frames of the recording up to there, not those since the source resumed."""
    made = recording()
    frames = list(range(10_000, 18_000, STEP))
    for pts in frames:
        made.add(pts, [])
    end = [*frames[150:155], *range(frames[155] + 1, frames[155] + 1 + unknown), *frames[156:]]
    # A source that has played the beginning, and one that begins there as that of a portion does.
    resumed, portion = RecordedSource(made, pts=int), RecordedSource(made, pts=int)
    resumed.resume(json.loads(json.dumps(play(made, frames[:150])[0].state())))
    for source in (resumed, portion):
        caplog.clear()
        stream = source.stream((pts, None) for pts in end)
        if fails:
            with pytest.raises(InputError, match="another video"):
                list(stream)
        else:
            assert list(stream) == [(pts, ()) for pts in end]
            assert "1 frames are not in the record" in caplog.text


def test_frames_that_were_missing_before_count_after_resuming():
    made = recording()
    frames = list(range(10_000, 18_000, STEP))
    for pts in frames:
        made.add(pts, [])
    first, _ = play(made, [*frames[:180], frames[180] + 1, frames[180] + 2])
    resumed = RecordedSource(made, pts=int)
    resumed.resume(json.loads(json.dumps(first.state())))
    with pytest.raises(InputError, match="another video"):
        list(resumed.stream((pts, None) for pts in [frames[181], frames[181] + 1, frames[182]]))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"width": 1280, "height": 720}, "for a 640x360 video (Łódź.mkv), but other.mp4 is 1280x720"),
        ({"width": 360, "height": 640}, "but other.mp4 is 360x640"),
        ({"time_base": Fraction(1, 90000)}, "has the time base 1/1000 s (Łódź.mkv), but other.mp4 has"),
        ({"start": 1.9}, "only from 2 s to 7.5 s"),
        ({"end": 7.6}, "only from 2 s to 7.5 s"),
        ({"end": None}, "only from 2 s to 7.5 s"),
    ],
    ids=str,
)
def test_a_recording_that_does_not_cover_the_video_is_refused(given, words):
    with pytest.raises(InputError) as refused:
        check_origin(recording(), replace(ORIGIN, name="other.mp4", **given))
    assert words in str(refused.value)


def test_a_renamed_video_causes_a_warning_only(caplog):
    check_origin(recording(), replace(ORIGIN, start=3.0, end=7.0))
    assert not caplog.records
    check_origin(recording(), replace(ORIGIN, name="other.mkv", stream=3))
    check_origin(recording(), replace(ORIGIN, stream=3))  # of an older tracks file the stream is not known
    assert "was made from Łódź.mkv, not from other.mkv" in caplog.text


def test_settings_of_tracks_take_effect():
    made = recording()
    made.settings = {1: TrackSettings(Adjustment(w=0.0)), 2: TrackSettings(Adjustment(skip=True))}
    source, played = play(made, list(made.timestamps))
    assert {(face.track, face.adjustment.w) for faces in played for face in faces} == {(1, 0.0)}
    assert (source.tracks, source.faces) == (1, 29)


def test_a_span_that_is_skipped_has_the_strength_0():
    made = recording()
    spans = (Span(2.08, 2.16, Adjustment(skip=True)),)
    made.settings[2] = TrackSettings(Adjustment(w=0.3), spans=spans)
    _, played = play(made, list(made.timestamps))
    strengths = [face.adjustment.strength for faces in played for face in faces if face.track == 2]
    assert strengths == [None] * 2 + [0.0] * 3 + [None] * 5
    assert {face.adjustment.w for faces in played for face in faces} == {None, 0.3}


def test_fidelity_weights_are_set_by_track():
    made = recording()
    spans = (Span(2.0, 2.1, Adjustment(w=0.1, strength=0.4)),)
    made.settings = {
        1: TrackSettings(Adjustment(w=0.0), name="Grace", spans=spans),
        2: TrackSettings(Adjustment(skip=True)),
    }
    set_w(made, {1: 0.75, 2: 1.0})
    assert made.settings[1].name == "Grace"
    assert made.settings[2] == TrackSettings(Adjustment(w=1.0, skip=True))
    assert made.adjustment(1, 3000) == Adjustment(0.75, 0.4)
    with pytest.raises(UsageError, match=r"--track-w: the record has no track 3; it has 1, 2"):
        set_w(made, {3: 0.5})


def test_fidelity_weights_are_set_by_person():
    made = recording()
    made.settings = {1: TrackSettings(person=1), 2: TrackSettings(Adjustment(w=0.1), person=2)}
    made.persons = {1: PersonSettings(name="Grace"), 2: PersonSettings(Adjustment(w=0.9))}
    set_w(made, {}, {"Grace": 0.2, "2": 0.3})
    assert made.adjustment(1, 3000).w == 0.2
    assert made.adjustment(2, 3000).w == 0.1  # the track's own counts
    assert made.persons[2].adjustment.w == 0.3
    with pytest.raises(UsageError, match=r"--person-w: the record has no person 'Eve'; it has Grace, 2"):
        set_w(made, {}, {"Eve": 0.5})


def test_a_source_resumes_with_its_counts():
    made = recording()
    source, _ = play(made, list(made.timestamps)[:12])
    resumed = RecordedSource(made, pts=int)
    resumed.resume(json.loads(json.dumps(source.state())))
    list(resumed.stream((pts, None) for pts in list(made.timestamps)[12:]))
    assert (resumed.tracks, resumed.faces) == (2, 39)


def test_tracks_of_another_stream_of_the_same_file_are_refused():
    given = recording()
    given.origin = replace(ORIGIN, stream=0)
    check_origin(given, replace(ORIGIN, stream=0))
    with pytest.raises(InputError, match=r"is for video stream 0 of .*, not for stream 2; choose the same"):
        check_origin(given, replace(ORIGIN, stream=2))
