"""Recorded faces: a tracks file written and read, every way it can be wrong, and how it is played back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.moving import face_points
from vidrestore.errors import InputError, UsageError
from vidrestore.faces.face import Face, TrackSettings
from vidrestore.faces.recorded.recorded_source import RecordedSource, check_origin, set_w
from vidrestore.faces.recorded.recording import Origin, Recording, TrackSummary
from vidrestore.faces.recorded.tracks_file import read_recording, write_recording

ORIGIN = Origin(
    name="Łódź.mkv", width=640, height=360, time_base=Fraction(1, 1000), begin=Fraction(1), start=2.0, end=7.5
)
STEP = 40  # ticks from frame to frame


def face(track: int, x: float, strength: float = 1.0) -> Face:
    points = face_points(x, 200.0, 100.0 * track).astype(np.float32)
    return Face(track, points[:2].ravel(), points[2:], strength)


def recording(frames: int = 30) -> Recording:
    """Track 1 in all frames, track 2 in the first ten, no face in the last."""
    made = Recording(ORIGIN)
    for number in range(frames - 1):
        faces = [face(1, 100 + number / 3, min(1.0, (number + 1) / 6))]
        made.add(3000 + STEP * number, faces + [face(2, 400 + number / 7)] * (number < 10))
    made.add(3000 + STEP * (frames - 1), [])
    return made


def text(made: Recording) -> str:
    file = io.StringIO()
    write_recording(made, file)
    return file.getvalue()


def read(tmp_path: Path, content: str) -> Recording:
    path = tmp_path / "tracks.json"
    path.write_text(content, encoding="utf-8")
    return read_recording(path)


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    content = json.loads(text(recording()))
    change(content)
    return json.dumps(content)


def play(made: Recording, frames: list[int]) -> tuple[RecordedSource, list[tuple[Face, ...]]]:
    """Frames are their own timestamps."""
    source = RecordedSource(made, pts=int)
    played = list(source.stream((pts, None) for pts in frames))
    assert [pts for pts, _ in played] == frames
    return source, [faces for _, faces in played]


def test_a_record_comes_back_as_it_was_written(tmp_path):
    made = recording()
    back = read(tmp_path, text(made))
    assert back.origin == made.origin
    assert back.settings == {1: TrackSettings(), 2: TrackSettings()}
    assert list(back.timestamps) == list(made.timestamps)
    assert back.frames == 30
    assert back.faces == 39
    for pts in made.timestamps:
        pairs = list(zip(back.faces_at(pts), made.faces_at(pts), strict=True))
        for after, before in pairs:
            assert after.track == before.track
            np.testing.assert_allclose(after.box, before.box, atol=0.00502)
            np.testing.assert_allclose(after.landmarks, before.landmarks, atol=0.00502)
            assert after.strength == pytest.approx(before.strength, abs=0.0000501)
            assert after.box.dtype == after.landmarks.dtype == np.float32
    # Once rounded, nothing changes any more.
    assert text(back) == text(made)


def test_a_person_can_read_it():
    lines = text(recording()).splitlines()
    tracks = [line for line in lines if line.startswith('  {"id"')]
    assert tracks == [
        '  {"id": 1, "w": null, "skip": false, "name": null, '
        '"first": 2.0, "last": 3.12, "frames": 29, "size": 100},',
        '  {"id": 2, "w": null, "skip": false, "name": null, '
        '"first": 2.0, "last": 2.36, "frames": 10, "size": 201}',
    ]
    assert len([line for line in lines if line.startswith('  "')]) == 30
    assert lines[-3] == f'  "{3000 + STEP * 29}": []'


def test_a_record_without_faces(tmp_path):
    made = Recording(ORIGIN)
    made.add(-5, [])
    back = read(tmp_path, text(made))
    assert back.faces_at(-5) == ()
    assert back.faces_at(5) is back.faces_at(-6) is None
    assert back.summary() == {}
    assert Recording(ORIGIN).faces_at(0) is None


def test_the_summary_tells_tracks_apart():
    assert recording().summary() == {
        1: TrackSummary(first=2.0, last=3.12, frames=29, size=100),
        2: TrackSummary(first=2.0, last=2.36, frames=10, size=201),
    }


def test_what_a_person_sets(tmp_path):
    def change(content: dict[str, Any]) -> None:
        content["tracks"][0] |= {"w": 0, "name": "Grace"}
        content["tracks"][1] = {"id": 2, "skip": True}

    back = read(tmp_path, edited(change))
    assert back.settings == {1: TrackSettings(w=0.0, name="Grace"), 2: TrackSettings(skip=True)}
    source, played = play(back, list(back.timestamps))
    assert {face.track for faces in played for face in faces} == {1}
    assert (source.tracks, source.faces) == (1, 29)
    assert source.settings(1).name == "Grace"
    set_w(back, {1: 0.75, 2: 1.0})
    assert source.settings(1) == TrackSettings(w=0.75, name="Grace")
    assert source.settings(2) == TrackSettings(w=1.0, skip=True)
    with pytest.raises(UsageError, match=r"tracks\.json has no track 3; it has 1, 2"):
        set_w(back, {3: 0.5})


def test_a_reformatted_file_is_the_same(tmp_path):
    made = recording()
    content = json.loads(text(made))
    content["faces"] = dict(reversed(content["faces"].items()))
    assert text(read(tmp_path, "\ufeff" + json.dumps(content, indent=4))) == text(made)


@pytest.mark.parametrize(("begin", "end"), [(0, 30), (11, 30), (5, 17), (29, 30)])
def test_a_part_finds_its_own_faces(begin, end):
    made = recording()
    whole = play(made, list(made.timestamps))[1]
    part = play(made, list(made.timestamps)[begin:end])[1]
    shown = [[(f.track, *f.landmarks.ravel().tolist(), f.strength) for f in faces] for faces in whole]
    assert [[(f.track, *f.landmarks.ravel().tolist(), f.strength) for f in faces] for faces in part] == (
        shown[begin:end]
    )


def test_a_frame_waits_for_no_other():
    made = recording()
    taken = []
    items = ((pts, taken.append(pts)) for pts in made.timestamps)
    for number, _ in enumerate(RecordedSource(made, pts=int).stream(items), 1):
        assert len(taken) == number


@pytest.mark.parametrize(
    ("label", "frames", "fails"),
    [
        ("other times from the first on", [3001, 3041, 3081], True),
        ("other times in between", [*range(3000, 3400, STEP), 3401], True),
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


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"width": 1280, "height": 720}, "of a 640x360 video (Łódź.mkv), and other.mp4 is 1280x720"),
        ({"width": 360, "height": 640}, "and other.mp4 is 360x640"),
        ({"time_base": Fraction(1, 90000)}, "in units of 1/1000 s (Łódź.mkv), and other.mp4 in units of"),
        ({"start": 1.9}, "from 2 s to 7.5 s only"),
        ({"end": 7.6}, "from 2 s to 7.5 s only"),
        ({"end": None}, "from 2 s to 7.5 s only"),
    ],
    ids=str,
)
def test_a_record_of_another_video_or_too_small_a_part(given, words):
    with pytest.raises(InputError) as refused:
        check_origin(recording(), replace(ORIGIN, name="other.mp4", **given))
    assert words in str(refused.value)


def test_a_renamed_video_is_only_warned_of(caplog):
    check_origin(recording(), replace(ORIGIN, start=3.0, end=7.0))
    assert not caplog.records
    check_origin(recording(), replace(ORIGIN, name="other.mkv"))
    assert "was made of Łódź.mkv, not of other.mkv" in caplog.text


def _at(content: Any, way: tuple[Any, ...]) -> Any:
    for key in way:
        content = content[key]
    return content


def put(*way: Any) -> Callable[[dict[str, Any]], object]:
    """Set what is last where the rest leads."""
    *way, key, value = way
    return lambda content: _at(content, tuple(way)).__setitem__(key, value)


def drop(*way: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: _at(content, way[:-1]).__delitem__(way[-1])


FIRST = ("faces", "3000", 0)
WRONG = {
    "another version": (put("version", 2), "its version is 2, and this program reads 1"),
    "no version": (drop("version"), "the file has no 'version'"),
    "no faces": (drop("faces"), "the file has no 'faces'"),
    "an unknown key": (put("trakcs", []), 'the file has the unknown key "trakcs"'),
    "frames left out": (drop("faces", "3040"), "frames is 30, and 29 are listed"),
    "no size": (drop("input", "width"), "input has no 'width'"),
    "half a pixel": (put("input", "width", 640.5), "input's width must be a whole number from 1 on"),
    "a time base of zero": (put("input", "time_base", "1/0"), "input's time_base must be a fraction"),
    "tracks by id": (put("tracks", {}), "tracks must be a list"),
    "a typo in skip": (put("tracks", 0, "skp", True), 'entry 1 of tracks has the unknown key "skp"'),
    "a track without id": (drop("tracks", 1, "id"), "entry 2 of tracks has no 'id'"),
    "an id twice": (put("tracks", 1, "id", 1), "tracks has track 1 twice"),
    "an id changed": (put("tracks", 1, "id", 3), "a face of track 2, which tracks does not list"),
    "a track taken out": (drop("tracks", 1), "a face of track 2, which tracks does not list"),
    "id 0": (put("tracks", 0, "id", 0), "id must be a whole number from 1 on, not 0"),
    "id true": (put("tracks", 0, "id", True), "id must be a whole number from 1 on, not true"),
    "w above 1": (
        put("tracks", 0, "w", 1.5),
        "track 1: w must be between 0 and 1, or null for the run's, not 1.5",
    ),
    "w below 0": (put("tracks", 1, "w", -0.1), "track 2: w must be between 0 and 1"),
    "w a text": (put("tracks", 0, "w", "0.5"), 'track 1: w must be a number, not "0.5"'),
    "w true": (put("tracks", 0, "w", True), "track 1: w must be a number, not true"),
    "w not a number": (put("tracks", 0, "w", float("nan")), "NaN is no number"),
    "w boundless": (put("tracks", 0, "w", float("-inf")), "-Infinity is no number"),
    "skip a text": (put("tracks", 0, "skip", "yes"), 'track 1: skip must be true or false, not "yes"'),
    "skip null": (put("tracks", 0, "skip", None), "track 1: skip must be true or false, not null"),
    "a name that is none": (put("tracks", 0, "name", 7), "track 1: name must be a text, not 7"),
    "faces in a list": (put("faces", []), "faces must be an object"),
    "a time that is none": (put("faces", "soon", []), 'the key "soon", which is no timestamp'),
    "a time with a zero before": (put("faces", "03000", []), 'the key "03000", which is no timestamp'),
    "a frame of no list": (put("faces", "3000", None), "the frame '3000' must be a list, not null"),
    "a face of no object": (put(*FIRST, 5), "a face of the frame '3000' must be an object, not 5"),
    "an unknown key of a face": (put(*FIRST, "w", 1), "a face of the frame '3000' has the unknown key \"w\""),
    "a face without box": (drop(*FIRST, "box"), "a face of the frame '3000' has no 'box'"),
    "two faces of a track": (put("faces", "3000", 1, "track", 1), "'3000' has two faces of track 1"),
    "three sides": (put(*FIRST, "box", [1, 2, 3]), "'3000', track 1: box must be a list of 4, not [1, 2, 3]"),
    "a box inside out": (put(*FIRST, "box", [9, 2, 3, 4]), "box must be left, top, right, bottom"),
    "four landmarks": (drop(*FIRST, "landmarks", 4), "landmarks must be a list of 5"),
    "a landmark in space": (put(*FIRST, "landmarks", 0, [1, 2, 3]), "a landmark must be a list of 2"),
    "a coordinate of no number": (
        put(*FIRST, "landmarks", 0, [1, None]),
        "a coordinate must be a number, not null",
    ),
    "a coordinate beyond floats": (put(*FIRST, "box", 2, 10**400), "a coordinate must be a number, not 1000"),
    "a face beyond the picture": (put(*FIRST, "box", 2, 1e6), "coordinates lie far outside any picture"),
    "landmarks in one place": (put(*FIRST, "landmarks", [[5, 5]] * 5), "landmarks coincide"),
    "no strength": (put(*FIRST, "strength", 0), "strength must be above 0 and at most 1, not 0"),
    "too much strength": (put(*FIRST, "strength", 1.01), "strength must be above 0 and at most 1, not 1.01"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_file_is_named(tmp_path, change, words):
    with pytest.raises(InputError) as refused:
        read(tmp_path, edited(change))
    said = str(refused.value)
    assert said.startswith(f"the tracks file {tmp_path / 'tracks.json'} cannot be used: ")
    assert words in said
    assert "vidrestore analyze" in said
    assert "\n" not in said
    assert len(said.replace(str(tmp_path), "")) < 250


TORN = {
    "empty": ("", "is not JSON: Expecting value: line 1 column 1"),
    "cut short": (text(recording())[:900], "is not JSON"),
    "a comma too many": ('{"version": 1,}', "is not JSON"),
    "no text": ("\x00\x01\x02", "is not JSON"),
    "endlessly deep": ("[" * 200_000, "is not JSON"),
    "more digits than Python reads": (f'{{"version": {"1" * 5000}}}', "is not JSON"),
    "a list": ("[]", "the file must be an object, not []"),
    "nothing": ("null", "the file must be an object, not null"),
    "a key twice": (
        text(recording()).replace('"skip": false', '"skip": false, "skip": true', 1),
        'the key "skip" stands twice in one object',
    ),
    "a number beyond floats": (
        text(recording()).replace('"w": null', '"w": 1e999', 1),
        "track 1: w must be a number, not Infinity",
    ),
}


@pytest.mark.parametrize(("content", "words"), TORN.values(), ids=TORN)
def test_a_torn_or_foreign_file(tmp_path, content, words):
    with pytest.raises(InputError) as refused:
        read(tmp_path, content)
    assert words in str(refused.value)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match=r"none\.json cannot be read: No such file"):
        read_recording(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_recording(tmp_path)
    (tmp_path / "video.mp4").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(InputError, match=r"video\.mp4 is not JSON"):
        read_recording(tmp_path / "video.mp4")
