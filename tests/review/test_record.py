"""With what a run was made."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.support.clips import pattern, write
from tests.support.notes import face, frames, record
from vidrestore.option_types import display_name
from vidrestore.options import Options
from vidrestore.review.record import versions, weights
from vidrestore.stages.setup import Setup
from vidrestore.weights.store import fingerprint


def test_every_option_is_there_by_its_name():
    made = record([], w="auto", track_w={3: 0.8}, face=(1, 3), start="1:30", min_face=30).head()
    assert made["options"].keys() == {display_name(field) for field in fields(Options)}
    assert (made["options"]["--w"], made["options"]["--track-w"]) == ("auto", ["3=0.8"])
    assert made["options"]["--face"] == ["1", "3"]
    assert (made["options"]["-ss"], made["options"]["--min-face"]) == ("90", 30)
    assert made["job"] == "restore"
    assert record([], restored=False).head()["job"] == "analyze"
    assert versions().keys() >= {"vidrestore", "torch", "libavcodec"}


def test_after_an_analysis_its_tracks_file_is_used():
    made = record([], restored=False, output="tracks.json", report_json="r.json")
    again = made.next_options
    assert (again.output, again.tracks, again.report_json) == (None, Path("tracks.json"), None)
    assert record([]).next_options == record([]).options


def test_frames_and_their_overview_are_read_from_the_notes():
    made = record(frames([face(1)], [face(1), face(2)]))
    assert [len(frame.faces) for frame in made.frames()] == [1, 2]
    assert made.overview()[0].faces == 3


@pytest.fixture
def options(tmp_path) -> Options:
    clip = write(tmp_path / "in.mp4", [pattern(0, 64, 48, "yuv420p")])
    return Options(input=clip, output=tmp_path / "out.mkv", device="cpu", precision="fp32", model="lite")


def test_weights_have_their_hash_and_licence(options):
    used = weights(Setup.resolve(options), "any")
    assert [(entry["role"], entry["name"]) for entry in used] == [
        ("restorer", "lite"),
        ("detector", "retinaface_mobile0.25"),
    ]
    assert used[0]["sha256"] == fingerprint("lite")
    assert "Apache" in used[0]["licence"]
    assert "MIT" in used[1]["licence"]


def test_the_licence_of_ones_own_weights_is_the_files(options, tmp_path):
    own = tmp_path / "own.safetensors"
    own.write_bytes(Path(__file__).read_bytes())
    setup = Setup.resolve(options)
    setup = replace(setup, restorer=replace(setup.restorer, weights=own))
    assert weights(setup, "CC0")[0] == {
        "role": "restorer",
        "name": "own.safetensors",
        "sha256": fingerprint(own),
        "licence": "CC0",
    }
