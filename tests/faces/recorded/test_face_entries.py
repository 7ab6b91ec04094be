"""The faces of one frame, decoded fast or checked value by value, are the same."""

from __future__ import annotations

import json

import msgspec
import pytest

from tests.support.recordings import face
from vidrestore.faces.recorded.face_entries import face_entry, read_faces
from vidrestore.faces.recorded.json_values import InvalidError

ENTRIES = [face_entry(face(1, 100.004)), face_entry(face(2, 300, 0.33333))]


def both(entries: object) -> tuple[object, object]:
    """What is read from ``entries`` as raw JSON and parsed: faces, or the message of the error."""
    found = []
    for value in (msgspec.Raw(json.dumps(entries).encode()), entries):
        try:
            found.append(list(read_faces(value, "the frame")))
        except InvalidError as error:
            found.append(str(error))
    return found[0], found[1]


def test_faces_are_rounded_and_read_back():
    raw, parsed = both(ENTRIES)
    assert raw == parsed
    assert raw == [
        (1, [*ENTRIES[0]["box"], *(v for point in ENTRIES[0]["landmarks"] for v in point), 1.0]),
        (2, [*ENTRIES[1]["box"], *(v for point in ENTRIES[1]["landmarks"] for v in point), 0.3333]),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box": [1, 2, 3]}, "the frame, track 1: box must be a list of 4, not [1, 2, 3]"),
        ({"box": [5, 2, 3, 4]}, "the frame, track 1: box must be left, top, right, bottom, not [5.0, 2.0, 3"),
        ({"box": [0, 0, 1e6, 4]}, "the frame, track 1: coordinates lie far outside any frame"),
        ({"landmarks": [[5, 5.5]] * 5}, "the frame, track 1: landmarks coincide"),
        ({"strength": 0}, "the frame, track 1: strength must be above 0 and at most 1, not 0"),
        ({"track": "1"}, 'the frame: track must be an integer of at least 1, not "1"'),
        ({"w": 1}, 'a face of the frame has the unknown key "w"'),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_errors_are_the_same_either_way(change: dict[str, object], message: str) -> None:
    raw, parsed = both([ENTRIES[0] | change])
    assert raw == parsed
    assert str(raw).startswith(message)
