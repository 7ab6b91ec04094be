"""Which results are finished."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.support.tiny import save_weights
from vidrestore.batch.results import Results
from vidrestore.options import Options
from vidrestore.progress.progress import Task


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """A file whose result is there, and noted."""
    (tmp_path / "out").mkdir()
    save_weights(tmp_path / "w.safetensors")
    for path in (tmp_path / "a.mp4", tmp_path / "out" / "a.mp4"):
        path.write_bytes(b"film")
    task = Task(file=tmp_path / "a.mp4", output=tmp_path / "out" / "a.mp4")
    results = results_of(task)
    results.note(task, results.key_of(task.file), task.output)
    return task


def results_of(task: Task, **settings) -> Results:
    given = {"weights": task.file.with_name("w.safetensors"), "device": "cpu", "precision": "fp32"}
    return Results(Options(input=Path(), **given | settings), task.output.parent)


@pytest.mark.parametrize(
    ("settings", "change"),
    [
        ({}, ""),
        ({"batch": 3, "overwrite": True, "offline": True, "profile": True}, ""),
        ({"w": 0.7}, "--w has changed since the last run (0.5, now 0.7)"),
        ({"container": "mp4"}, "-f has changed"),
        ({"weights": None, "model": "lite"}, "the model has changed"),
        ({"precision": "bf16"}, "the precision has changed"),
    ],
)
def test_what_a_result_depends_on(task, settings, change):
    results = results_of(task, **settings)
    said = results.changes(task)
    assert said.startswith(change) if change else said == ""
    assert results.is_finished(task) == (not change)


def test_other_weights_of_the_same_name(task):
    with task.file.with_name("w.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    assert results_of(task).changes(task).startswith("the model has changed")


def test_a_result_that_is_not_there(task):
    task.output.unlink()
    assert results_of(task).changes(task) is None
    assert not results_of(task).is_finished(task)


def test_the_networks_are_chosen_once(task, caplog):
    results = results_of(task, weights=None)
    caplog.set_level("INFO", "vidrestore")
    assert (results.options.model, results.options.detector) == ("lite", "retinaface_mobile0.25")
    assert results.options.model == "lite"
    assert len(caplog.messages) == 1


def test_which_faces_of_a_photo_are_restored_counts(task):
    Image.new("RGB", (8, 8)).save(task.file.with_name("a.png"))
    photo = replace(task, file=task.file.with_name("a.png"), output=task.output.with_name("a.png"))
    photo.output.write_bytes(photo.file.read_bytes())
    results = results_of(task)
    results.note(photo, results.key_of(photo.file), photo.output)
    assert results_of(task).changes(photo) == ""
    for settings, name in (
        ({"only_center_face": True}, "--only-center-face"),
        ({"aligned": True}, "--aligned"),
        ({"face": [2]}, "--face"),
    ):
        assert results_of(task, **settings).changes(photo).startswith(f"{name} has changed")
        assert results_of(task, **settings).changes(task) == ""  # of a video they say nothing


def test_options_for_videos_change_nothing_of_a_photo(task):
    photo = Task(file=task.file.with_name("a.png"), output=task.output.with_name("a.png"))
    for path in (photo.file, photo.output):
        Image.new("RGB", (8, 8)).save(path)
    results = results_of(photo)
    results.note(photo, results.key_of(photo.file), photo.output)
    changed = {
        "crf": 20,
        "steady": "none",
        "start": 1,
        "container": "mp4",
        "codec": "ffv1",
        "deinterlace": "off",
    }
    assert results_of(photo, **changed).changes(photo) == ""
    assert results_of(task, **changed).changes(task) != ""
    for settings in ({"w": 0.7}, {"upscale": 2}, {"only_center_face": True}):
        assert results_of(photo, **settings).changes(photo) != ""
