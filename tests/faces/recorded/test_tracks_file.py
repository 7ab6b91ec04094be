"""A tracks file is written and read, and every error in one is reported with its place."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from tests.support.recordings import ORIGIN, STEP, recording
from vidrestore.errors import InputError
from vidrestore.faces.face import Adjustment, PersonSettings, Span, TrackSettings
from vidrestore.faces.recorded.recording import Condition, Recording
from vidrestore.faces.recorded.tracks_file import (
    parse_recording,
    read_recording,
    restorers_in,
    write_recording,
)

CONDITION = Condition(size=41.5, sharpness=0.4, noise=3.1, yaw=0.1, roll=-12, w=0.37, why="41 px, blurred")


def text(made: Recording) -> str:
    """The content of its tracks file."""
    file = io.StringIO()
    write_recording(made, file)
    return file.getvalue()


def test_an_exact_recording_changes_nothing():
    made = recording()
    file = io.StringIO()
    write_recording(made, file, exact=True)
    back = parse_recording(file.getvalue().encode(), "a record")
    assert back.display_name == "a record"
    for pts in made.timestamps:
        for after, before in zip(back.faces_at(pts), made.faces_at(pts), strict=True):
            assert np.array_equal(after.box, before.box)
            assert np.array_equal(after.landmarks, before.landmarks)
            assert after.strength == before.strength


def read(tmp_path: Path, content: str) -> Recording:
    path = tmp_path / "tracks.json"
    path.write_text(content, encoding="utf-8")
    return read_recording(path)


def edited(change: Callable[[dict[str, Any]], object]) -> str:
    """The content of a tracks file, changed by ``change``."""
    content = json.loads(text(recording()))
    change(content)
    return json.dumps(content)


def test_a_recording_survives_writing_and_reading(tmp_path):
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
            assert after.score == before.score
            assert after.box.dtype == after.landmarks.dtype == np.float32
    # Once coordinates are rounded, writing and reading change nothing.
    assert text(back) == text(made)


def test_tracks_and_frames_are_on_a_line_each():
    lines = text(recording()).splitlines()
    tracks = [line for line in lines if line.startswith('  {"id"')]
    assert tracks == [
        '  {"id": 1, "person": null, "w": null, "strength": null, "skip": null, "restorer": null, '
        '"name": null, "spans": [], '
        '"first": 2.0, "last": 3.12, "frames": 29, "size": 100, "condition": null},',
        '  {"id": 2, "person": null, "w": null, "strength": null, "skip": null, "restorer": null, '
        '"name": null, "spans": [], '
        '"first": 2.0, "last": 2.36, "frames": 10, "size": 201, "condition": null}',
    ]
    assert len([line for line in lines if line.startswith('  "')]) == 30
    assert lines[-3] == f'  "{3000 + STEP * 29}": []'


def test_a_recording_without_faces(tmp_path):
    made = Recording(ORIGIN)
    made.add(-5, [])
    back = read(tmp_path, text(made))
    assert back.faces_at(-5) == ()
    assert back.faces_at(5) is back.faces_at(-6) is None
    assert back.summary() == {}
    assert Recording(ORIGIN).faces_at(0) is None


def test_settings_are_read(tmp_path):
    def change(content: dict[str, Any]) -> None:
        span = {"from": 1, "to": 2.5, "w": 0.1}
        content["tracks"][0] |= {"w": 0, "strength": 0.5, "name": "Grace", "person": 4, "spans": [span]}
        content["tracks"][1] = {"id": 2, "skip": True, "person": 5}
        content["persons"] = [{"id": 5, "name": "Ada", "w": 1, "strength": 0, "skip": False}]
        content["shots"] = [3000, 3200]

    back = read(tmp_path, edited(change))
    spans = (Span(1.0, 2.5, Adjustment(w=0.1)),)
    assert back.settings == {
        1: TrackSettings(Adjustment(0.0, 0.5), "Grace", 4, spans),
        2: TrackSettings(Adjustment(skip=True), person=5),
    }
    assert back.persons == {4: PersonSettings(), 5: PersonSettings(Adjustment(1.0, 0.0, False), "Ada")}
    assert back.shots == [3000, 3200]
    assert text(read(tmp_path, text(back))) == text(back)


SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "tracks.schema.json").read_text(encoding="utf-8"))


def test_the_schema_is_one_and_describes_a_full_file():
    made = recording()
    made.conditions[2] = CONDITION
    made.shots = [3000]
    made.persons[1] = PersonSettings(Adjustment(w=0.5), "Ada")
    made.settings[1] = TrackSettings(person=1, spans=(Span(0, 1, Adjustment(skip=True)),))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(text(made)), SCHEMA)


def test_version_1_is_read(tmp_path):
    def change(content: dict[str, Any]) -> None:
        content["version"] = 1
        del content["shots"], content["persons"]
        summary = {"first": 2.0, "last": 3.12, "frames": 29, "size": 100}
        content["tracks"] = [
            {"id": 1, "w": 0.5, "skip": False, "name": None, **summary},
            {"id": 2, "w": None, "skip": True, "name": "Ada", **summary},
        ]

    back = read(tmp_path, edited(change))
    assert back.settings == {
        1: TrackSettings(Adjustment(0.5, None, False)),
        2: TrackSettings(Adjustment(skip=True), "Ada"),
    }
    assert (back.faces, back.persons, back.shots) == (39, {}, [])


def test_conditions_are_kept(tmp_path):
    made = recording()
    made.conditions[2] = CONDITION
    assert read(tmp_path, text(made)).conditions == made.conditions


def test_order_and_formatting_do_not_matter(tmp_path):
    made = recording()
    content = json.loads(text(made))
    content["faces"] = dict(reversed(content["faces"].items()))
    assert text(read(tmp_path, "\ufeff" + json.dumps(content, indent=4))) == text(made)


def _at(content: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        content = content[key]
    return content


def put(*path: Any) -> Callable[[dict[str, Any]], object]:
    """Set the value, the last argument, at the path of keys before it."""
    *way, key, value = path
    return lambda content: _at(content, tuple(way)).__setitem__(key, value)


def drop(*path: Any) -> Callable[[dict[str, Any]], object]:
    """Delete the entry at a path of keys."""
    return lambda content: _at(content, path[:-1]).__delitem__(path[-1])


FIRST = ("faces", "3000", 0)


WRONG = {
    "another version": (put("version", 3), "its version is 3, but this program reads 1 and 2"),
    "no version": (drop("version"), "the file has no 'version'"),
    "no faces": (drop("faces"), "the file has no 'faces'"),
    "an unknown key": (put("trakcs", []), 'the file has the unknown key "trakcs"'),
    "frames removed": (drop("faces", "3040"), "frames is 30, but 29 are listed"),
    "no size": (drop("input", "width"), "input has no 'width'"),
    "width not an integer": (put("input", "width", 640.5), "input's width must be an integer of at least 1"),
    "a huge time base": (put("input", "time_base", "1e999999"), "input's time_base must be a fraction"),
    "a time base of zero": (put("input", "time_base", "1/0"), "input's time_base must be a fraction"),
    "tracks by id": (put("tracks", {}), "tracks must be a list"),
    "a typo in skip": (put("tracks", 0, "skp", True), 'entry 1 of tracks has the unknown key "skp"'),
    "a track without id": (drop("tracks", 1, "id"), "entry 2 of tracks has no 'id'"),
    "an id twice": (put("tracks", 1, "id", 1), "tracks lists track 1 twice"),
    "an id changed": (put("tracks", 1, "id", 3), "a face of track 2, which tracks does not list"),
    "a track removed": (drop("tracks", 1), "a face of track 2, which tracks does not list"),
    "id 0": (put("tracks", 0, "id", 0), "id must be an integer of at least 1, not 0"),
    "id true": (put("tracks", 0, "id", True), "id must be an integer of at least 1, not true"),
    "w above 1": (
        put("tracks", 0, "w", 1.5),
        "track 1: w must be between 0 and 1, or null for the default, not 1.5",
    ),
    "w below 0": (put("tracks", 1, "w", -0.1), "track 2: w must be between 0 and 1"),
    "w a string": (put("tracks", 0, "w", "0.5"), 'track 1: w must be a number, not "0.5"'),
    "w true": (put("tracks", 0, "w", True), "track 1: w must be a number, not true"),
    "w not a number": (put("tracks", 0, "w", float("nan")), "NaN is not a number"),
    "w infinite": (put("tracks", 0, "w", float("-inf")), "-Infinity is not a number"),
    "skip a string": (put("tracks", 0, "skip", "yes"), 'track 1: skip must be true or false, not "yes"'),
    "strength above 1 for a track": (
        put("tracks", 0, "strength", 2),
        "track 1: strength must be between 0 and 1, or null for the default, not 2",
    ),
    "person a name": (put("tracks", 0, "person", "Ada"), "track 1: person must be an integer"),
    "a person twice": (put("persons", [{"id": 1}, {"id": 1}]), "persons lists person 1 twice"),
    "a person's skip": (
        put("persons", [{"id": 2, "skip": 1}]),
        "person 2: skip must be true or false, not 1",
    ),
    "a span without end": (put("tracks", 0, "spans", [{"from": 1}]), "track 1: span 1 has no 'to'"),
    "a span backwards": (
        put("tracks", 0, "spans", [{"from": 3, "to": 2, "w": 0}]),
        "track 1: span 1: to, 2, is before from, 3",
    ),
    "a span without effect": (
        put("tracks", 0, "spans", [{"from": 1, "to": 2, "w": None}]),
        "track 1: span 1 sets nothing; give it w, strength, skip or restorer",
    ),
    "a condition without size": (put("tracks", 0, "condition", {"w": 1}), "track 1: condition has no 'size'"),
    "shots as times": (put("shots", [1.5]), "shots has 1.5, which is not a timestamp"),
    "name not a string": (put("tracks", 0, "name", 7), "track 1: name must be a string, not 7"),
    "faces in a list": (put("faces", []), "faces must be an object"),
    "a key that is no timestamp": (put("faces", "soon", []), 'the key "soon", which is not a timestamp'),
    "a leading zero": (
        put("faces", "03000", []),
        'the key "03000", which is not a timestamp',
    ),
    "a frame not a list": (put("faces", "3000", None), "the frame '3000' must be a list, not null"),
    "a face not an object": (put(*FIRST, 5), "a face of the frame '3000' must be an object, not 5"),
    "an unknown key of a face": (put(*FIRST, "w", 1), "a face of the frame '3000' has the unknown key \"w\""),
    "a face without box": (drop(*FIRST, "box"), "a face of the frame '3000' has no 'box'"),
    "two faces of a track": (put("faces", "3000", 1, "track", 1), "'3000' has two faces of track 1"),
    "a box of three": (
        put(*FIRST, "box", [1, 2, 3]),
        "'3000', track 1: box must be a list of 4, not [1, 2, 3]",
    ),
    "a box inside out": (put(*FIRST, "box", [9, 2, 3, 4]), "box must be left, top, right, bottom"),
    "four landmarks": (drop(*FIRST, "landmarks", 4), "landmarks must be a list of 5"),
    "a landmark in 3D": (put(*FIRST, "landmarks", 0, [1, 2, 3]), "a landmark must be a list of 2"),
    "a coordinate not a number": (
        put(*FIRST, "landmarks", 0, [1, None]),
        "a coordinate must be a number, not null",
    ),
    "a coordinate beyond floats": (put(*FIRST, "box", 2, 10**400), "a coordinate must be a number, not 1000"),
    "a face outside any frame": (put(*FIRST, "box", 2, 1e6), "coordinates lie far outside any frame"),
    "coinciding landmarks": (put(*FIRST, "landmarks", [[5, 5]] * 5), "landmarks coincide"),
    "strength 0": (put(*FIRST, "strength", 0), "strength must be above 0 and at most 1, not 0"),
    "strength above 1": (put(*FIRST, "strength", 1.01), "strength must be above 0 and at most 1, not 1.01"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_an_error_in_a_file_is_named(tmp_path, change, words):
    with pytest.raises(InputError) as refused:
        read(tmp_path, edited(change))
    message = str(refused.value)
    assert message.startswith(f"the tracks file {tmp_path / 'tracks.json'} cannot be used: ")
    assert words in message
    assert "vidrestore analyze" in message
    assert "\n" not in message
    assert len(message.replace(str(tmp_path), "")) < 250


#: Errors that a schema cannot see: they lie between values.
BETWEEN_VALUES = {
    *("frames removed", "a time base of zero", "an id twice", "an id changed", "a track removed"),
    *("a person twice", "a span backwards", "a span without effect", "two faces of a track"),
    *("a box inside out", "coinciding landmarks", "a face outside any frame", "a huge time base"),
    *("w not a number", "w infinite", "a coordinate beyond floats"),
}


@pytest.mark.parametrize("name", sorted(set(WRONG) - BETWEEN_VALUES))
def test_the_schema_refuses_the_same(name):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(edited(WRONG[name][0])), SCHEMA)


NOT_TRACKS_FILES = {
    "empty": ("", "is not JSON: Expecting value: line 1 column 1"),
    "cut short": (text(recording())[:900], "is not JSON"),
    "a trailing comma": ('{"version": 1,}', "is not JSON"),
    "binary": ("\x00\x01\x02", "is not JSON"),
    "nested too deeply": ("[" * 200_000, "is not JSON"),
    "more digits than Python reads": (f'{{"version": {"1" * 5000}}}', "is not JSON"),
    "a list": ("[]", "the file must be an object, not []"),
    "null": ("null", "the file must be an object, not null"),
    "a duplicate key": (
        text(recording()).replace('"skip": null', '"skip": false, "skip": true', 1),
        'the key "skip" occurs twice in one object',
    ),
    "a duplicate frame": (
        text(recording()).replace('"3040": [', '"3000": [], "3040": [', 1),
        'the key "3000" occurs twice in one object',
    ),
    "a number beyond floats": (
        text(recording()).replace('"w": null', '"w": 1e999', 1),
        "track 1: w must be a number, not Infinity",
    ),
}


@pytest.mark.parametrize(("content", "words"), NOT_TRACKS_FILES.values(), ids=NOT_TRACKS_FILES)
def test_a_truncated_or_foreign_file(tmp_path, content, words):
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


def test_the_restorers_that_a_file_names_are_read_without_its_faces(tmp_path):
    made = recording()
    made.settings[1] = TrackSettings(
        Adjustment(restorer="lite"), person=3, spans=(Span(0, 1, Adjustment(restorer="gpen-512")),)
    )
    made.persons[3] = PersonSettings(Adjustment(restorer="gfpgan-1.4"))
    path = tmp_path / "tracks.json"
    path.write_text(text(made))
    assert restorers_in(path) == {"lite", "gpen-512", "gfpgan-1.4"}
    read = read_recording(path)
    assert read.settings[1] == made.settings[1]
    assert read.adjustment(1, 3000).restorer == "lite"
    read.settings[1] = replace(read.settings[1], adjustment=Adjustment())
    assert read.adjustment(1, 3000 + 30 * STEP).restorer == "gfpgan-1.4"
    path.write_text(text(made)[:-50])
    assert restorers_in(path) == restorers_in(tmp_path / "none.json") == frozenset()
