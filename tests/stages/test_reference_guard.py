"""Restored faces stay as like the photographs of their persons as their input is."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.support import reader
from tests.support.clips import decode
from tests.support.drifting import drifting_face, quick_options
from vidrestore.analysis import analyze_video
from vidrestore.faces.face import Face
from vidrestore.faces.identity.embedding import IdentityEmbedding
from vidrestore.faces.identity.looks import LooksEmbedding
from vidrestore.faces.recorded.recorded_source import RecordedSource
from vidrestore.faces.recorded.tracks_file import read_recording, write_recording
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.pipeline import restore_video
from vidrestore.restoration.tasks import find_task
from vidrestore.restoration.temporal.face_crop import ComparedFace, Likeness
from vidrestore.restoration.temporal.motion import NO_COMPARISON
from vidrestore.review.excerpts import restore_part
from vidrestore.runtime.profile import Profile
from vidrestore.stages import reference_guard
from vidrestore.stages.models import Models
from vidrestore.stages.reference_guard import EVERY, TOLERANCE, ReferenceGuard, hold
from vidrestore.stages.setup import Setup

GREY = torch.full((3, 8, 8), 0.5)
PHOTO = (0.5,)  # the embedding of these tests is the mean of all samples


class MeanEmbedding(IdentityEmbedding):
    """The mean of all samples, in [0, 1]: in each of so many numbers."""

    def __init__(self, length: int = 1) -> None:
        self.length, self.pictures = length, 0

    def __call__(self, faces):
        self.pictures += len(faces)
        return np.array([[face.mean() / 255 / self.length**0.5] * self.length for face in faces])


class StubModels:
    profile = Profile()
    task = find_task("restore")

    def observe(self, faces):
        return list(faces)


@dataclass
class Numbered:
    index: int


NUMBER = attrgetter("index")


def compared(track: int = 1, *, w: float = 0.5, photo: tuple[float, ...] | None = PHOTO) -> ComparedFace:
    face = Face(track, np.zeros(4), np.zeros((5, 2)), reference=photo)
    return ComparedFace(
        track=track,
        source=SimpleNamespace(face=face),
        image=GREY,
        quality=None,
        w=w,
        strength=1.0,
        comparison=NO_COMPARISON,
    )


def brighter_by(departure: float, at_most_w: float = 1.0):
    """Restores faces that are brighter by ``departure`` at w = 0 and like the input at w = ``at_most_w``."""

    def restore(faces):
        return [
            SimpleNamespace(restored=face.image + departure * max(0.0, 1 - face.w / at_most_w))
            for face in faces
        ]

    return restore


def measured(restore, **given) -> Likeness:
    guard = ReferenceGuard(MeanEmbedding(), StubModels(), NUMBER)
    [face] = guard.measure(Numbered(0), [compared(**given)], restore)
    return face.likeness


def test_a_face_that_stays_as_like_is_left_as_planned():
    likeness = measured(brighter_by(0.15))
    assert likeness[:2] == pytest.approx((0.002, 0.075), abs=0.005)
    assert likeness[2:] == (0, 1)


def test_w_rises_where_that_helps():
    likeness = measured(brighter_by(0.4))
    assert likeness.after - likeness.before == pytest.approx(0.2, abs=0.01)
    assert 0.5 < likeness.raised < 1
    assert likeness.kept == 1


def test_strength_falls_where_it_does_not():
    likeness = measured(brighter_by(0.4, at_most_w=1e6))
    assert likeness.raised == 1
    assert likeness.kept == pytest.approx(TOLERANCE / 0.4, abs=0.02)
    assert measured(brighter_by(0.4, at_most_w=1e6), w=1.0)[2:] == (
        0,
        pytest.approx(TOLERANCE / 0.4, abs=0.02),
    )


def test_a_face_may_become_more_like_the_photograph():
    assert measured(brighter_by(0.4), photo=(0.9,))[2:] == (0, 1)


def test_what_is_measured():
    """The first frame of each track, then every so many: those without a photograph never."""
    embed = MeanEmbedding()
    guard = ReferenceGuard(embed, StubModels(), NUMBER)
    seen = []
    for index in range(5, 40):
        faces = [compared(1), compared(2, photo=None), *([compared(3)] if 16 <= index < 20 else [])]
        found = guard.measure(Numbered(index), faces, brighter_by(0.0))
        seen += [(index, face.track) for face in found if face.likeness]
    assert seen == [(5, 1), (12, 1), (16, 3), (24, 1), (36, 1)]
    assert embed.pictures == 2 * len(seen)


def test_between_measured_frames_it_changes_gradually():
    ends = {0: Likeness(0.3, 0.3, 0.0, 1.0), EVERY: Likeness(0.3, 0.6, 1.0, 0.5)}
    w = []
    for index in range(EVERY + 1):
        here = replace(compared(), likeness=ends.get(index))
        around = [
            (at - index, replace(compared(), likeness=likeness))
            for at, likeness in ends.items()
            if at != index and abs(at - index) < EVERY
        ]
        w.append(hold(here, around).w)
    assert w == pytest.approx(np.linspace(0.5, 1, EVERY + 1))
    held = hold(compared(), [(-3, replace(compared(), likeness=ends[EVERY]))])  # a track that ends
    assert (held.w, held.strength, held.likeness) == (1, 0.5, ends[EVERY])
    alone = compared()
    assert hold(alone, [(1, compared())]) is alone


def test_without_photographs_there_is_no_guard():
    assert ReferenceGuard.of(SimpleNamespace(), StubModels()) is None


COUNT = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A clip with a face, and two tracks files: with the photograph of a person, and without."""
    folder = tmp_path_factory.mktemp("guarded")
    drifting_face(folder, COUNT)
    analyze_video(quick_options(folder, output=folder / "plain.json"))
    recording = read_recording(folder / "plain.json")
    photo = (0.0,) * 128
    recording.persons[1] = replace(recording.persons[1], name="Ada", reference=photo)
    with (folder / "tracks.json").open("w") as text:
        write_recording(recording, text)
    return folder


@pytest.fixture
def unlike(monkeypatch) -> None:
    """Restored faces are brighter, and so less like the photograph, which is black."""
    monkeypatch.setattr(reference_guard, "load_embedding", lambda: MeanEmbedding(128))
    real = Models.restore

    def restore(self, faces, *, keep_colours):
        found = real(self, faces, keep_colours=keep_colours)
        for face in found:
            face.layers[:3] = face.layers[:3] * 0.3 + 0.7
        return found

    monkeypatch.setattr(Models, "restore", restore)


def run(folder: Path, out: Path, **settings) -> dict:
    report = out.with_suffix(".json")
    settings = {"tracks": folder / "tracks.json", "steady": "codes", "report_json": report} | settings
    restore_video(quick_options(folder, output=out, overwrite=True, **settings), segment_length=10)
    return json.loads(report.read_text(encoding="utf-8"))


def test_a_run_says_what_it_did(folder, tmp_path, unlike):
    record = run(folder, tmp_path / "out.mkv")
    [flag] = [flag for flag in record["flags"] if flag["kind"] == "reference"]
    assert (flag["first"], flag["last"]) == (0, COUNT - 1)
    assert "held to its photograph" in flag["done"]
    assert "restored at" in flag["done"]
    for frame in record["record"]:
        [face] = frame["faces"]
        assert face["w"] == 1
        assert face["strength"] < 0.5
        assert face["acted"]["reference guard"] == 1
        assert face["reference"]["restored"] > face["reference"]["input"] + TOLERANCE
    plain = run(folder, tmp_path / "plain.mkv", tracks=folder / "plain.json")
    assert {face["reference"] for frame in plain["record"] for face in frame["faces"]} == {None}


def test_parts_and_kept_segments_have_the_frames_of_the_whole_run(folder, tmp_path, unlike):
    run(folder, tmp_path / "out.mkv")
    expected = list(decode(tmp_path / "out.mkv"))
    options = quick_options(folder, tracks=folder / "tracks.json", steady="codes")
    setup = Setup.resolve(options)
    recording = read_recording(folder / "tracks.json")
    shown = restore_part(
        options, setup, Models(setup.restorer, Profile()), recording, start=Fraction(19, 25), frames=2
    )
    for number, moment in enumerate(shown, 19):
        pairs = zip(plane_views(moment.restored[0]), plane_views(expected[number]), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)

    kept = {"keep": tmp_path / "kept"}
    run(folder, tmp_path / "kept.mkv", tracks=folder / "plain.json", **kept)
    run(folder, tmp_path / "kept.mkv", **kept)  # none of these segments can be used
    assert reader.frames(tmp_path / "kept.mkv") == reader.frames(tmp_path / "out.mkv")


def test_without_the_package_photographs_only_name(folder, monkeypatch, caplog):
    monkeypatch.setattr(reference_guard, "load_embedding", LooksEmbedding)
    source = RecordedSource(read_recording(folder / "tracks.json"), pts=lambda frame: 0)
    assert ReferenceGuard.of(source, StubModels()) is None
    assert "the photographs only name Ada: guarding their identity needs pip install" in caplog.text


@pytest.mark.parametrize("task", ["colour", "inpaint"])
def test_what_is_not_held_to_its_input_is_not_compared(folder, monkeypatch, task):
    monkeypatch.setattr(StubModels, "task", find_task(task))
    source = RecordedSource(read_recording(folder / "tracks.json"), pts=lambda frame: 0)
    assert ReferenceGuard.of(source, StubModels()) is None
