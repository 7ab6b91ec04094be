"""Many files, one after another: what is done, what is left alone, and what is said."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from tests.support.batches import StandIn, make_batch, run_batch
from tests.support.platforms import posix
from vidrestore.batch.batch import Batch
from vidrestore.batch.inputs import find_inputs
from vidrestore.batch.ledger import NAME
from vidrestore.errors import OutputError, UsageError
from vidrestore.runtime.lock import hold


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with three files, one in a folder."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.mp4", "b.mkv", "sub/c.avi"):
        (folder / name).write_bytes(f"film {name}".encode())
    return folder


@pytest.fixture
def restore() -> StandIn:
    """Restores by copying."""
    return StandIn()


def names(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def test_results_lie_as_their_inputs_do(source, restore, tmp_path):
    batch = run_batch(restore, source, tmp_path / "new" / "out")
    assert names(batch.out) == [NAME, "a.mp4", "b.mkv", "sub/c.mkv"]
    assert (batch.summary.done, batch.summary.finished, batch.summary.failed) == (3, 0, [])
    assert (batch.out / "sub/c.mkv").read_bytes() == b"film sub/c.avi w=0.5"


def test_what_is_finished_is_not_restored_again_with_y_or_without(source, restore, tmp_path):
    for settings in ({}, {}, {"overwrite": True}):
        batch = run_batch(restore, source, tmp_path / "out", **settings)
    assert restore.restored == ["a.mp4", "b.mkv", "c.avi"]
    assert (batch.summary.done, batch.summary.finished) == (0, 3)


CHANGES = {
    "another w": (lambda source, out: None, {"w": 0.7}, "--w has changed since the last run (0.5, now 0.7)"),
    "another encoder": (lambda source, out: None, {"crf": 20}, "--crf has changed"),
    "another input": (
        lambda source, out: (source / "a.mp4").write_bytes(b"another"),
        {},
        "the input has changed",
    ),
    "another result": (lambda source, out: (out / "a.mp4").write_bytes(b"mine"), {}, "exists; give -y"),
    "no ledger": (lambda source, out: (out / NAME).unlink(), {}, "exists; give -y"),
}


@pytest.mark.parametrize(("change", "settings", "words"), CHANGES.values(), ids=CHANGES.keys())
def test_a_result_of_something_else_is_left_alone_without_y_and_replaced_with_it(
    source, restore, tmp_path, change, settings, words
):
    out = run_batch(restore, source, tmp_path / "out").out
    change(source, out)
    before = (out / "a.mp4").read_bytes()
    batch = run_batch(restore, source, out, **settings)
    assert words in batch.summary.failed[0]
    assert "a.mp4 exists" in batch.summary.failed[0]
    assert (out / "a.mp4").read_bytes() == before
    restore.restored.clear()
    batch = run_batch(restore, source, out, overwrite=True, **settings)
    assert batch.summary.failed == []
    assert "a.mp4" in restore.restored
    assert run_batch(restore, source, out, **settings).summary.finished == 3


def test_a_folder_that_moved_with_its_results_is_still_finished(source, restore, tmp_path):
    run_batch(restore, source, tmp_path / "out")
    source.rename(tmp_path / "moved")
    batch = run_batch(restore, tmp_path / "moved", tmp_path / "out")
    assert (batch.summary.done, batch.summary.finished) == (0, 3)


def test_a_file_that_fails_is_said_and_the_others_are_done(source, restore, tmp_path):
    (source / "a.mp4").write_bytes(b"bad")
    restore.during = lambda path: path.name == "b.mkv" and 1 / 0
    batch = run_batch(restore, source, tmp_path / "out")
    assert restore.restored == ["c.avi"]
    assert batch.summary.failed[0] == f"{source / 'a.mp4'} cannot be read as a video"
    assert batch.summary.failed[1].startswith(f"{source / 'b.mkv'}: internal error (ZeroDivisionError")
    assert names(batch.out) == [NAME, "sub/c.mkv"]
    assert str(batch.summary) == "1 file restored, 2 failed"


@pytest.mark.parametrize("kind", ["gone", "broken link", pytest.param("pipe", marks=posix)])
def test_what_is_no_file_is_said(source, restore, tmp_path, kind):
    path = tmp_path / "x.mp4"
    if kind == "broken link":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "pipe":
        os.mkfifo(path)
    batch = make_batch(restore, tmp_path / "out")
    batch.run(find_inputs([str(path), str(source / "a.mp4")], batch.out, recursive=False))
    assert len(batch.summary.failed) == 1
    assert str(path) in batch.summary.failed[0]
    assert restore.restored == ["a.mp4"]


@pytest.mark.parametrize("change", ["grew", "vanished"])
def test_an_input_that_changes_while_it_is_read_gives_no_result(source, restore, tmp_path, change):
    def during(path: Path) -> None:
        if path.name == "a.mp4":
            path.unlink() if change == "vanished" else path.write_bytes(b"film, and the rest of it")

    restore.during = during
    batch = run_batch(restore, source, tmp_path / "out")
    assert "a.mp4 changed while it was read" in batch.summary.failed[0]
    assert names(batch.out) == [NAME, "b.mkv", "sub/c.mkv"]


def test_killed_after_a_result_was_noted_and_before_it_was_there(source, restore, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_batch(restore, source, tmp_path / "out")
    batch = run_batch(restore, source, tmp_path / "out")
    assert (batch.summary.done, batch.summary.failed) == (3, [])


def test_killed_as_soon_as_a_result_was_there(source, restore, tmp_path, monkeypatch):
    real = os.replace

    def replace(old, new) -> None:
        real(old, new)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", replace)
        with pytest.raises(KeyboardInterrupt):
            run_batch(restore, source, tmp_path / "out")
    batch = run_batch(restore, source, tmp_path / "out")
    assert (batch.summary.done, batch.summary.finished) == (2, 1)


def test_results_are_no_inputs(source, restore, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_batch(restore, source, Path("out"))
    batch = make_batch(restore, Path("out"))
    batch.run(find_inputs(["**/*.m*"], Path("out"), recursive=False))
    assert (batch.summary.done, batch.summary.finished) == (0, 2)


def test_an_input_is_never_written_even_as_the_result_of_another(source, restore, tmp_path):
    (source / "b.mkv").unlink()
    out = tmp_path / "out"
    out.mkdir()
    os.link(source / "a.mp4", out / "d.mp4")
    (source / "sub" / "c.avi").rename(source / "d.mp4")
    batch = run_batch(restore, source, out, overwrite=True)
    assert "is one of the inputs" in batch.summary.failed[0]
    assert (source / "a.mp4").read_bytes() == b"film a.mp4"


def test_a_file_that_another_batch_works_on_is_left_to_it(source, restore, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    other = hold(out / ".a.mp4.claim")
    batch = run_batch(restore, source, out)
    assert batch.summary.failed == [
        f"{source / 'a.mp4'}: another run is writing {out / 'a.mp4'}; wait for its end"
    ]
    assert restore.restored == ["b.mkv", "c.avi"]

    # It ends while this one is at the last file.
    def during(path: Path) -> None:
        if path.name == "c.avi":
            other.close()
            run_batch(StandIn(), source, out)

    shutil.rmtree(out / "sub")
    restore.during = during
    batch = run_batch(restore, source, out)
    assert (batch.summary.done, batch.summary.finished) == (1, 2)
    assert not [name for name in names(out) if name.endswith(".claim")]


def test_what_belongs_to_one_input_is_refused_for_several(source, restore, tmp_path):
    for option in ("report", "report_json", "tracks", "compare"):
        with pytest.raises(UsageError, match=f"--{option.replace('_', '-')} belongs to one input"):
            run_batch(restore, source, tmp_path / "out", **{option: tmp_path / "x"})
    assert not (tmp_path / "out").exists()
    batch = make_batch(restore, tmp_path / "out", report_json=tmp_path / "x")
    batch.run(find_inputs([str(source / "a.mp4")], batch.out, recursive=False))
    assert batch.summary.done == 1


def test_a_folder_that_cannot_be_made_is_one_sentence(source, restore, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for out in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(OutputError):
            run_batch(restore, source, out)


def cluster_of(workers: int) -> Any:
    return SimpleNamespace(crew=SimpleNamespace(size=workers))


def batch_of(
    restore: StandIn, source: Path, tmp_path: Path, counts: dict[str, int | None], workers: int
) -> Batch:
    """A batch on a cluster over files with so many frames."""
    batch = make_batch(restore, tmp_path / "out", cluster=cluster_of(workers))
    batch.out.mkdir()
    tasks = batch.tasks(find_inputs([str(source)], batch.out, recursive=True).files)
    batch._progress.begin(files=len(tasks), frames=None)
    batch.add([replace(task, frames=counts[task.file.name]) for task in tasks])
    return batch


def test_a_cluster_restores_the_longest_first(source, restore, tmp_path):
    batch = batch_of(restore, source, tmp_path, {"a.mp4": 10, "b.mkv": None, "c.avi": 500}, workers=1)
    assert restore.restored == ["c.avi", "a.mp4", "b.mkv"]
    assert {cluster.crew.size for cluster in restore.clusters} == {1}
    assert batch.summary.done == 3


def test_a_cluster_restores_several_at_a_time(source, restore, tmp_path):
    """Each waits for the others in the middle."""
    together = Barrier(3, timeout=20)
    restore.during = lambda path: together.wait() and None
    batch = batch_of(restore, source, tmp_path, {"a.mp4": 10, "b.mkv": 20, "c.avi": 500}, workers=3)
    assert batch.summary.done == 3
    assert sorted(restore.restored) == ["a.mp4", "b.mkv", "c.avi"]


def test_photos_are_restored_one_after_another_on_a_cluster_too(source, restore, tmp_path, monkeypatch):
    """They share networks. Of what arrives in a watched folder no number of frames is known."""
    counts: dict[str, int | None] = {"a.mp4": 10, "b.mkv": 20, "c.avi": 500}
    for number in range(3):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(source / f"{number}.png")
        counts[f"{number}.png"] = None
    monkeypatch.setattr("tests.support.batches.check_output", lambda *_, **__: None)  # which is for videos
    threads: dict[str, int] = {}
    restore.during = lambda path: threads.update({path.name: threading.get_ident()})
    batch = batch_of(restore, source, tmp_path, counts, workers=3)
    assert batch.summary.done == 6
    assert {threads[f"{number}.png"] for number in range(3)} == {threading.get_ident()}


def test_on_a_cluster_too_what_fails_is_one_file(source, restore, tmp_path):
    (source / "b.mkv").write_bytes(b"bad")
    batch = batch_of(restore, source, tmp_path, {"a.mp4": 10, "b.mkv": 20, "c.avi": 500}, workers=2)
    assert (batch.summary.done, len(batch.summary.failed)) == (2, 1)


def test_options_for_videos_are_refused_for_a_photo_by_itself(restore, tmp_path):
    """They were ignored, and the report that was asked for not written."""
    photo = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(photo)
    for option in ("report", "report_json", "compare"):
        batch = make_batch(restore, tmp_path / "out", **{option: tmp_path / "r.html"})
        with pytest.raises(UsageError, match=r"is for videos, and a\.png is a photo"):
            batch.run(find_inputs([str(photo)], batch.out, recursive=False))
    assert restore.restored == []


def test_the_profile_of_a_single_video_is_printed(source, restore, tmp_path, capsys):
    batch = make_batch(restore, tmp_path / "out", profile=True)
    batch.run(find_inputs([str(source / "a.mp4")], batch.out, recursive=False))
    assert "where the time went" in capsys.readouterr().err
