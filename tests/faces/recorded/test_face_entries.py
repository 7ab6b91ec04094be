"""The faces of one frame, decoded fast or checked value by value, are the same."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest

from tests.support.recordings import face
from vidrestore.faces.recorded.face_entries import face_entry, read_faces
from vidrestore.faces.recorded.json_values import InvalidError

ENTRIES = [face_entry(face(1, 100.004)), face_entry(replace(face(2, 300, 0.33333), score=0.98765))]


def both(entries: object) -> tuple[object, object]:
    """What is read from ``entries`` as raw JSON and parsed: faces, or the message of the error."""
    found = []
    for value in (msgspec.Raw(json.dumps(entries).encode()), entries):
        try:
            found.append(list(read_faces(value, "the frame")))
        except InvalidError as error:
            found.append(str(error))
    return found[0], found[1]


def test_a_face_has_its_score_if_it_is_known():
    assert "score" not in ENTRIES[0]
    assert ENTRIES[1]["score"] == 0.988


def test_faces_are_rounded_and_read_back():
    raw, parsed = both(ENTRIES)
    assert raw == parsed
    assert raw == [
        (1, [*ENTRIES[0]["box"], *(v for point in ENTRIES[0]["landmarks"] for v in point), 1.0, -1.0]),
        (2, [*ENTRIES[1]["box"], *(v for point in ENTRIES[1]["landmarks"] for v in point), 0.3333, 0.988]),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box": [1, 2, 3]}, "the frame, track 1: box must be a list of 4, not [1, 2, 3]"),
        ({"box": [5, 2, 3, 4]}, "the frame, track 1: box must be left, top, right, bottom, not [5.0, 2.0, 3"),
        ({"box": [0, 0, 1e6, 4]}, "the frame, track 1: coordinates lie far outside any frame"),
        ({"landmarks": [[5, 5.5]] * 5}, "the frame, track 1: landmarks coincide"),
        ({"strength": 0}, "the frame, track 1: strength must be above 0 and at most 1, not 0"),
        ({"score": 1.5}, "the frame, track 1: score must be between 0 and 1, or null"),
        ({"score": "1"}, 'the frame, track 1: score must be a number, not "1"'),
        ({"track": "1"}, 'the frame: track must be an integer of at least 1, not "1"'),
        ({"w": 1}, 'a face of the frame has the unknown key "w"'),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_errors_are_the_same_either_way(change: dict[str, object], message: str) -> None:
    raw, parsed = both([ENTRIES[0] | change])
    assert raw == parsed
    assert str(raw).startswith(message)
