"""The record as JSON, against its schema."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import pytest

from tests.support.notes import face, frames, left_alone, record
from vidrestore.restoration.fidelity.rules import Gates
from vidrestore.restoration.guarded import Guards
from vidrestore.restoration.temporal.face_crop import Likeness
from vidrestore.review.json_file import write_json

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text(encoding="utf-8"))


def written(notes) -> dict:
    file = io.StringIO()
    write_json(record(notes), file)
    return json.loads(file.getvalue())


EVERYTHING = frames(
    [
        face(
            1,
            fade=0.5,
            fit=0.5,
            covered=0.1,
            worn=0.5,
            guards=Guards(0.9, 0.3, 0.2, 0.1, 0.1, 0.1),
            likeness=Likeness(0.3, 0.5, 0.5, 1.0),
        ),
        left_alone(2, gates=Gates(0.5, 0.5, 0.5, 0.5)),
        left_alone(3, fit=0.0, w=None),
    ],
    [],
    [face(1)],
)


def test_the_schema_is_one_and_describes_a_full_record():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = written(EVERYTHING)
    jsonschema.validate(found, SCHEMA)
    acted = SCHEMA["properties"]["record"]["items"]["properties"]["faces"]["items"]["properties"]["acted"]
    seen = {name for frame in found["record"] for entry in frame["faces"] for name in entry["acted"]}
    assert seen == acted["properties"].keys()
    jsonschema.validate(written([]), SCHEMA)
    worker = {"worker": "worker 1 on a machine", "segments": 1, "frames": 125, "seconds": 9.5}
    jsonschema.validate(found | {"times": {"seconds": 10, "workers": [worker]}}, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found | {"times": {"seconds": 10, "workers": [worker | {"frames": 0}]}}, SCHEMA)


@pytest.mark.parametrize("path", [("version",), ("weights", 0, "sha256"), ("record", 0, "faces", 0, "w")])
def test_the_schema_refuses_another_value(path):
    found = written(EVERYTHING)
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = 7
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, SCHEMA)


def test_the_record_has_what_was_noted():
    found = written(EVERYTHING)
    assert (found["frames"], found["faces"], found["restored"]) == (3, 4, 2)
    first, second, third = found["record"][0]["faces"]
    assert (first["w"], first["region"], first["acted"]["raised w"]) == (0.9, [90, 40, 210, 190], 0.4)
    assert (second["w"], second["strength"], second["region"], second["light"]) == (0.5, 0, None, None)
    assert (third["size"], third["acted"]) == (None, {"landmarks": 1})
    assert found["tracks"][0]["mean"]["identity"] == 0.155
    assert [frame["time"] for frame in found["record"]] == [0, 0.04, 0.08]


def test_an_analysis_did_nothing():
    file = io.StringIO()
    write_json(record(frames([left_alone(covered=0.2)]), restored=False, output="my tracks.json"), file)
    found = json.loads(file.getvalue())
    jsonschema.validate(found, SCHEMA)
    [flag] = found["flags"]
    assert (flag["kind"], flag["done"]) == ("in front", "found only")


def test_a_frame_is_on_a_line():
    file = io.StringIO()
    write_json(record(EVERYTHING), file)
    assert sum('"pts"' in line for line in file.getvalue().splitlines()) == 3
