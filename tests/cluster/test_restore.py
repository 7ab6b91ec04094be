"""A cluster makes the frames that a run by itself makes, whoever begins, continues and fails on the way.

The workers are in this process, but for one test on Ray.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster_films import LENGTH, alone, content, make_film
from tests.support.clusters import add_node, nodes
from tests.support.in_process import Fault, in_process, no_fault
from tests.support.tiny import save_weights
from vidrestore.analysis import analyze_video
from vidrestore.cluster import actor, sightings
from vidrestore.cluster.cluster import opened
from vidrestore.cluster.crew import LostError
from vidrestore.cluster.restore import restore_on_cluster
from vidrestore.errors import DeviceError, InputError, LossError, OutputError, UsageError
from vidrestore.media.output.segment_writer import SegmentWriter
from vidrestore.media.output.segments import Segment, SegmentFile
from vidrestore.options import Options
from vidrestore.pipeline import restore_video
from vidrestore.report import Report
from vidrestore.stages.restoration import CONTEXT


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> dict[str, Any]:
    """The options of a film, and in ``plain.mkv`` beside it the result of a run by itself."""
    folder = tmp_path_factory.mktemp("film")
    given = make_film(folder)
    alone(given, folder / "plain.mkv")
    return given


@pytest.fixture(autouse=True)
def _as_in_a_cluster(monkeypatch, tmp_path):
    monkeypatch.setattr(actor, "prepare", lambda: None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sightings, "CHUNK", 3)


def spread(
    given: dict[str, Any], out: Path, fault: Fault = no_fault, workers: int = 2, **more: Any
) -> tuple[Report, Any]:
    cluster = in_process(workers, fault)
    options = Options(output=out, **given, **more)
    return restore_on_cluster(options, cluster, segment_length=LENGTH), cluster.engine


def expected(given: dict[str, Any]) -> Any:
    return content(given["input"].with_name("plain.mkv"))


def at(worker: int, item: int, error: BaseException) -> Fault:
    def fault(number: int, count: int) -> None:
        if (number, count) == (worker, item):
            raise error

    return fault


def test_the_frames_are_those_of_a_run_by_itself(film, tmp_path):
    told: list[tuple[int, int]] = []
    report = tmp_path / "report.json"
    cluster = in_process(2)
    options = Options(output=tmp_path / "out.mkv", report_json=report, **film)
    done = restore_on_cluster(options, cluster, lambda *counts: told.append(counts), segment_length=LENGTH)
    assert content(tmp_path / "out.mkv") == expected(film)
    assert (done.frames, done.faces, done.tracks, done.resumed) == (22, 22, 1, 0)
    assert told == sorted(told)
    workers = json.loads(report.read_text())["times"]["workers"]
    assert sum(worker["frames"] for worker in workers) == 22
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mkv", "report.json"]


@pytest.mark.slow
def test_portions_that_begin_beyond_what_frames_hang_on(tmp_path):
    """They seek to a mark, and the faces around them have been found by then."""
    film = make_film(tmp_path, frames=CONTEXT + 47)
    alone(film, tmp_path / "plain.mkv")
    _, engine = spread(film, tmp_path / "out.mkv")
    assert content(tmp_path / "out.mkv") == content(tmp_path / "plain.mkv")
    assert max(frames.start for _, frames in engine.portions) > CONTEXT


def test_a_report_names_weights_for_another_task(film, tmp_path):
    weights = save_weights(tmp_path / "colours.safetensors", "colour")
    report = tmp_path / "report.json"
    given = film | {"weights": weights, "task": "colour", "output": tmp_path / "out.mkv"}
    restore_on_cluster(Options(report_json=report, **given), in_process(1), segment_length=LENGTH)
    used = {entry["role"]: entry["name"] for entry in json.loads(report.read_text())["weights"]}
    assert used["restorer"] == "colours.safetensors"


@pytest.mark.slow
def test_workers_need_not_see_any_file(film, tmp_path, monkeypatch):
    own, real = film["input"], actor.is_content
    monkeypatch.setattr(actor, "is_content", lambda path, digest: path != own and real(path, digest))
    monkeypatch.setattr(actor, "sees", lambda folder, probe: False)
    _, engine = spread(film, tmp_path / "out.mkv")
    assert engine.sent
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]
    assert content(tmp_path / "out.mkv") == expected(film)


def from_item(worker: int, item: int, error: BaseException) -> Fault:
    def fault(number: int, count: int) -> None:
        if number == worker and count >= item:
            raise error

    return fault


def test_a_run_by_itself_continues_what_a_cluster_has_begun(film, tmp_path):
    """One segment fails twice: the run ends with its error, and those before it are kept."""
    out = tmp_path / "out.mkv"
    with pytest.raises(InputError, match="cannot go on") as caught:
        spread(film, out, from_item(1, 5, InputError("cannot go on")), workers=1)
    assert "12 frames are finished and kept" in caught.value.__notes__[0]
    assert not out.exists()
    assert alone(film, out).resumed == 12
    assert content(out) == expected(film)


def test_what_cannot_be_joined_ends_the_run(film, tmp_path, monkeypatch):
    """No worker is to blame, and none is asked again: a segment would be left out."""
    out, joined, real = tmp_path / "out.mkv", [], SegmentWriter._join

    def join(writer: SegmentWriter, segment: Any) -> None:
        joined.append(segment)
        if len(joined) == 2:
            raise OutputError("the disk is full")
        real(writer, segment)

    with monkeypatch.context() as patch:
        patch.setattr(SegmentWriter, "_join", join)
        with pytest.raises(OutputError, match="the disk is full"):
            spread(film, out)
    assert not out.exists()
    spread(film, out)
    assert content(out) == expected(film)


def test_what_strict_refuses_ends_the_run(film, tmp_path, monkeypatch):
    """It was counted as a fault of the worker, and passed when the segment was made again."""
    real = SegmentFile.finish

    def finish(file: SegmentFile, **record: Any) -> Segment:
        return real(file, **record | {"side_data": {"closed captions"}})

    monkeypatch.setattr(SegmentFile, "finish", finish)
    for _ in range(2):  # what is finished is refused too
        with pytest.raises(LossError, match=r"--strict: the video of in\.mp4 loses its closed captions"):
            spread(film, tmp_path / "out.mkv", strict=True)
        assert not (tmp_path / "out.mkv").exists()


def stop_at(frame: int) -> Any:
    """Interrupts a run by itself."""

    def progress(frames: int, faces: int) -> None:
        if frames == frame:
            raise KeyboardInterrupt

    return progress


def test_a_cluster_continues_what_a_run_by_itself_has_begun(film, tmp_path):
    out = tmp_path / "out.mkv"
    with pytest.raises(KeyboardInterrupt):
        restore_video(Options(output=out, **film), stop_at(14), segment_length=LENGTH)
    report, engine = spread(film, out)
    assert report.resumed == 12
    assert min(frames.start for _, frames in engine.portions) == 12
    assert content(out) == expected(film)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["cluster", "alone"])
def test_segments_behind_a_gap_are_used(film, tmp_path, by):
    out = tmp_path / "out.mkv"

    def fail(path: Path) -> None:
        raise InputError("cannot go on")

    with pytest.raises(InputError):
        restore_on_cluster(Options(output=out, **film), in_process(2), segment_length=LENGTH, complete=fail)
    (tmp_path / ".out.mkv.vidrestore" / "0000000006.segment").unlink()
    if by == "alone":
        report = alone(film, out)
    else:
        report, engine = spread(film, out)
        assert [frames for _, frames in engine.portions] == [range(6, 12)]
    assert (report.frames, report.faces, report.resumed) == (22, 22, 16)
    assert content(out) == expected(film)


@pytest.mark.slow
def test_a_worker_that_ends_is_replaced(film, tmp_path):
    out = tmp_path / "out.mkv"
    _, engine = spread(film, out, at(1, 2, LostError("killed")))
    assert content(out) == expected(film)
    assert len(engine.workers) == 3


@pytest.mark.slow
def test_the_finder_of_faces_that_ends_begins_again(film, tmp_path):
    left = [LostError("killed")]

    def fault(worker: int, item: int) -> None:
        if worker == 0 and item == 4 and left:
            raise left.pop()

    spread(film, tmp_path / "out.mkv", fault)
    assert content(tmp_path / "out.mkv") == expected(film)


@pytest.mark.slow
def test_recorded_faces_and_a_part(film, tmp_path):
    tracks = tmp_path / "tracks.json"
    found = {name: film[name] for name in ("input", "device")}
    analyze_video(Options(output=tracks, **found))
    more = {"tracks": tracks, "start": "0.2", "duration": "0.4"}
    alone(film, tmp_path / "plain.mkv", **more)
    _, engine = spread(film, tmp_path / "out.mkv", **more)
    assert content(tmp_path / "out.mkv") == content(tmp_path / "plain.mkv")
    assert not engine.shared, "what workers are sent is not to grow with the film"


@pytest.mark.slow
def test_a_store_is_filled_and_used(film, tmp_path):
    store = tmp_path / "store"
    spread(film, tmp_path / "out.mkv", keep=store)
    report = alone(film, tmp_path / "again.mkv", keep=store)
    assert report.resumed == 22
    again, engine = spread(film, tmp_path / "third.mkv", keep=store)
    assert (again.resumed, engine.portions) == (22, [])
    for name in ("out.mkv", "again.mkv", "third.mkv"):
        assert content(tmp_path / name) == expected(film)


def test_a_stream_is_refused(film):
    with pytest.raises(UsageError, match="--ray needs an OUT that is a file"):
        spread(film, Path("-"))


@pytest.fixture(scope="module")
def three_nodes() -> Iterator[Any]:
    """Three nodes of Ray, each with processes of its own."""
    pytest.importorskip("ray")
    with nodes(3) as cluster:
        yield cluster


@contextmanager
def on_ray(cluster: Any, workers: int, given: dict[str, Any], out: Path, **more: Any) -> Iterator[Any]:
    options = Options(output=out, ray=cluster.address, workers=workers, **given, **more)
    with opened(options) as made:
        assert made is not None
        yield options, made


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_nodes_of_ray_make_the_same_frames(three_nodes, film, tmp_path, workers):
    """With faces that are found, that are recorded, with a store, and after an edit."""
    tracks, store = tmp_path / "tracks.json", tmp_path / "store"
    analyze_video(Options(output=tracks, **{name: film[name] for name in ("input", "device")}))
    kinds: dict[str, dict[str, Any]] = {
        "found": {},
        "found and kept": {"keep": tmp_path / "another store"},
        "recorded": {"tracks": tracks},
        "kept": {"tracks": tracks, "keep": store},
        "edited": {"tracks": tracks, "keep": store, "track_w": ((1, 0.9),)},
    }
    with on_ray(three_nodes, workers, film, tmp_path / "out.mkv") as (options, made):
        for kind, more in kinds.items():
            out, own = tmp_path / f"{kind}.mkv", tmp_path / f"{kind}-alone.mkv"
            alone(film, own, **{name: value for name, value in more.items() if name != "keep"})
            report = restore_on_cluster(replace(options, output=out, **more), made, segment_length=LENGTH)
            assert content(out) == content(own), kind
            assert len(report.workers) <= workers


@pytest.mark.slow
def test_two_workers_on_one_node_of_ray_make_the_same_frames(film, tmp_path):
    pytest.importorskip("ray")
    out, store = tmp_path / "out.mkv", tmp_path / "store"
    with nodes(1, cores=2) as cluster, on_ray(cluster, 2, film, out) as (options, made):
        report = restore_on_cluster(options, made, segment_length=LENGTH)
        again = replace(options, output=tmp_path / "kept.mkv", keep=store)
        restore_on_cluster(again, made, segment_length=LENGTH)
        edited = replace(again, output=tmp_path / "edited.mkv", w=0.9)
        restore_on_cluster(edited, made, segment_length=LENGTH)
    alone(film, tmp_path / "edited-alone.mkv", w=0.9)
    assert len({share["worker"].rpartition(" on ")[2] for share in report.workers}) == 1
    assert content(out) == content(tmp_path / "kept.mkv") == expected(film)
    assert content(tmp_path / "edited.mkv") == content(tmp_path / "edited-alone.mkv")


@pytest.mark.slow
def test_workers_that_no_node_of_ray_has_room_for_do_not_keep_a_run_for_ever(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    film, out, lost = make_film(tmp_path, frames=80), tmp_path / "out.mkv", []
    alone(film, tmp_path / "plain.mkv")
    with nodes(1) as cluster:
        add_node(cluster, cores=2)
        with on_ray(cluster, 1, film, out) as (options, made):
            while not made.crew._coming[0].has_begun():
                time.sleep(0.1)

            def lose(frames: int, faces: int) -> None:
                if frames >= 3 * LENGTH and not lost:
                    monkeypatch.setattr("vidrestore.cluster.waiting.LIMIT", 30.0)
                    lost.append(cluster.worker_nodes.copy().pop())
                    cluster.remove_node(lost[0], allow_graceful=False)

            with pytest.raises(DeviceError, match=r"has not begun in .* with 2 free cores; .*to continue"):
                restore_on_cluster(options, made, lose, segment_length=LENGTH)
    assert not out.exists()
    report = alone(film, out)
    assert report.resumed >= LENGTH
    assert content(out) == expected(film)


@pytest.mark.slow
def test_a_node_of_ray_is_lost(film, tmp_path):
    pytest.importorskip("ray")
    out, killed = tmp_path / "out.mkv", []
    with nodes(3) as cluster, on_ray(cluster, 2, film, out) as (options, made):

        def kill(frames: int, faces: int) -> None:
            if frames and not killed:
                killed.append(cluster.worker_nodes.copy().pop())
                cluster.remove_node(killed[0], allow_graceful=False)

        report = restore_on_cluster(options, made, kill, segment_length=LENGTH)
    assert killed
    assert report.frames == 22
    assert content(out) == expected(film)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]
