"""The key of a segment changes with what its frames depend on, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.clips import pattern, write
from tests.support.recordings import face
from vidrestore.faces.face import Adjustment, Face
from vidrestore.options import Options
from vidrestore.restoration.load import ModelChoice
from vidrestore.stages import segment_keys
from vidrestore.stages.restoration import CONTEXT
from vidrestore.stages.resume import run_key
from vidrestore.stages.segment_keys import SegmentKeys
from vidrestore.stages.setup import Setup

LENGTH = 10
#: Track 1 is in frames 0 to 14, track 2 in frames 30 to 199; 250 frames in 25 segments.
FACES = [[face(1, 100 + i)] * (i < 15) + [face(2, 300 + i)] * (30 <= i < 200) for i in range(250)]


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> Options:
    folder = tmp_path_factory.mktemp("keys")
    clip = write(folder / "in.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(3)])
    return Options(input=clip, output=folder / "out.mkv", device="cpu", precision="fp32")


def keys_of(options: Options, faces: list[list[Face]] = FACES, **numbers: Any) -> list[str]:
    setup = Setup.resolve(options)
    keys = SegmentKeys(run_key(options, setup, length=LENGTH), options, setup)
    given = {"timestamps": range(0, 40 * len(faces), 40), "first": 0, "end": len(faces)}
    given |= {"shots": [1] * len(faces)} | numbers
    described = [{face.track: keys.describe(face) for face in found} for found in faces]
    return keys.of_segments(faces=described, length=LENGTH, **given)


def changed(options: Options, **other: Any) -> set[int]:
    """Which segments have another key."""
    faces = other.pop("faces", FACES)
    before, after = keys_of(options), keys_of(replace(options, **other), faces)
    return {i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}


def set_for(frames: range, track: int, **values: Any) -> list[list[Face]]:
    """The faces, with an adjustment of one track."""
    return [
        [
            replace(f, adjustment=Adjustment(**values)) if i in frames and f.track == track else f
            for f in found
        ]
        for i, found in enumerate(FACES)
    ]


WITH_1, WITH_2 = {0, 1}, set(range(3, 20))


def test_every_segment_has_its_own_key(options):
    assert len(set(keys_of(options))) == 25


@pytest.mark.parametrize(
    ("settings", "segments"),
    [
        ({"batch": 3}, set()),
        ({"w": 0.6}, WITH_1 | WITH_2),
        ({"strength": 0.6}, WITH_1 | WITH_2),
        ({"steady": "none"}, WITH_1 | WITH_2),
        ({"max_yaw": 0.6}, WITH_1 | WITH_2),
        ({"precision": "bf16"}, WITH_1 | WITH_2),
        ({"track_w": {1: 0.5}}, WITH_1),
        ({"track_w": {7: 0.5}}, set()),
        ({"crf": 20}, set(range(25))),
        ({"start": 0.04}, set(range(25))),
        ({"deinterlace": "off"}, set(range(25))),
    ],
    ids=str,
)
def test_options_change_those_that_they_touch(options, settings, segments):
    assert changed(options, **settings) == segments


def test_containers_differ(options):
    other = replace(options, output=options.output.with_suffix(".mp4"))
    assert not set(keys_of(options)) & set(keys_of(other))


@pytest.mark.parametrize(
    ("frames", "track", "values", "segments"),
    [
        (range(250), 1, {"w": 0.9}, WITH_1),
        (range(250), 1, {"w": 0.5}, set()),  # what it is without
        (range(250), 1, {"strength": 0.9}, WITH_1),
        (range(250), 1, {"strength": 1.0}, set()),
        (
            range(150, 151),
            2,
            {"w": 0.9},
            {i for i in WITH_2 if 10 * i - CONTEXT <= 150 < 10 * i + 10 + CONTEXT},
        ),
    ],
    ids=str,
)
def test_what_is_set_for_faces_changes_those_within_reach(options, frames, track, values, segments):
    assert changed(options, faces=set_for(frames, track, **values)) == segments


def test_a_face_that_is_left_out_counts(options):
    faces = [[f for f in found if f.track != 1 or i != 12] for i, found in enumerate(FACES)]
    assert changed(options, faces=faces) == WITH_1


def test_context_counts_and_has_no_segments(options):
    numbers = {"first": 30, "end": 50}
    moved = [[face(2, 9)] if i == 29 else found for i, found in enumerate(FACES)]
    assert len(keys_of(options, **numbers)) == 2
    assert keys_of(options, moved, **numbers) != keys_of(options, **numbers)
    beyond = [[face(2, 9)] if i == 49 + CONTEXT + 1 else found for i, found in enumerate(FACES)]
    assert keys_of(options, beyond, **numbers) == keys_of(options, **numbers)


def test_times_count(options):
    other = [*range(0, 9960, 40), 9970, 9999]
    before, after = keys_of(options), keys_of(options, timestamps=other)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True] * 24 + [False]


def test_what_is_noted_counts(options):
    shots = [1] * 40 + [2] * 210
    before, after = keys_of(options), keys_of(options, shots=shots)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True] * 4 + [False] * 21
    sure = [[replace(f, score=0.9) if f.track == 1 else f for f in found] for found in FACES]
    assert changed(options, faces=sure) == WITH_1


def test_another_version_has_other_keys(options, monkeypatch):
    before = set(keys_of(options))
    monkeypatch.setattr(segment_keys, "code_fingerprint", lambda: "another")
    assert not before & set(keys_of(options))


def test_the_restorer_that_a_person_chose_counts_where_its_faces_are(options, monkeypatch):
    """As its hash; the model of the run by its name is no choice."""
    monkeypatch.setattr("vidrestore.stages.setup._named_restorers", lambda options: {"gfpgan-1.4"})
    monkeypatch.setattr(
        "vidrestore.stages.setup.resolve_model",
        lambda name, **given: ModelChoice("lite" if name == "auto" else name),
    )
    chosen = set_for(range(100), 1, restorer="gfpgan-1.4")
    assert changed(options, faces=chosen) == WITH_1
    assert (
        changed(options, faces=set_for(range(100), 1, restorer=Setup.resolve(options).restorer.model))
        == set()
    )
