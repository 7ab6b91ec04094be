"""Jobs, as command lines."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.page import write_tracks
from vidrestore.cli_parser import analyze_parser, options_of, parse_restore
from vidrestore.errors import UsageError
from vidrestore.ui.database import CANCELLED, DONE, PAUSED, RUNNING, WAITING
from vidrestore.ui.jobs import Jobs, clean, folder_of, report_of, tracks_of
from vidrestore.ui.uploads import RefusedError

VIDEO = {"kind": "video", "width": 640, "height": 360, "suffix": ".mp4"}
PHOTO = {"kind": "photo", "width": 640, "height": 360, "suffix": ".gif"}


@pytest.fixture
def jobs(database):
    return Jobs(database)


def file(path: Path | str = "/films/a.mp4", about=VIDEO, *, name: str = "film.mp4", opened: int = 0) -> dict:
    return {"id": "f", "name": name, "path": str(path), "about": about, "opened": opened, "settings": {}}


def test_a_run_is_the_command_that_a_person_would_type(jobs, visitor):
    job = jobs.restore(visitor, file(), {"w": 0.25, "duration": "3"})
    args = parse_restore(job["command"][3:])
    options = options_of(args)
    assert (options.w, options.duration, args.progress) == (0.25, 3, "json")
    assert options.input == Path("/films/a.mp4")
    assert options.output == folder_of(visitor, job) / "result.mp4"
    assert options.report == report_of(visitor, job)
    assert (job["name"], job["state"], job["options"]) == (
        "film-restored.mp4",
        WAITING,
        {"w": "0.25", "duration": "3"},
    )


def test_a_run_has_its_own_copy_of_the_tracks(jobs, visitor):
    tracks = tracks_of(visitor, file())
    write_tracks(tracks)
    row = file() | {"settings": {"1": {"w": 0.75}}}
    job = jobs.restore(visitor, row, {})
    options = options_of(parse_restore(job["command"][3:]))
    assert options.tracks == folder_of(visitor, job) / "tracks.json"
    assert '"w": 0.75' in options.tracks.read_text()


def test_finding_faces_is_a_command_too(jobs, visitor):
    job = jobs.analyze(visitor, file())
    args = analyze_parser().parse_args(job["command"][4:])
    assert (args.output, args.progress) == (tracks_of(visitor, file()), "json")
    with pytest.raises(RefusedError):
        jobs.analyze(visitor, file(about=PHOTO))


@pytest.mark.parametrize(
    ("name", "about", "options", "result"),
    [
        ("film.mov", VIDEO, {}, "result.mov"),
        ("film.avi", VIDEO, {}, "result.mkv"),
        ("film.avi", VIDEO, {"container": "mp4"}, "result.mp4"),
        ("photo.PNG", PHOTO, {}, "result.png"),
        ("photo.txt", PHOTO | {"suffix": ".jpg"}, {}, "result.jpg"),
        ("photo.gif", PHOTO, {}, "result.png"),
    ],
)
def test_what_the_result_is(jobs, visitor, name, about, options, result):
    assert Path(jobs.restore(visitor, file(name=name, about=about), options)["result"]).name == result


def test_the_result_of_a_file_in_place_lies_beside_it_and_replaces_nothing(jobs, visitor, tmp_path):
    film = tmp_path / "film.mkv"
    (tmp_path / "film-restored.mkv").write_text("mine")
    (tmp_path / ".film-restored-2.mkv.vidrestore").mkdir()  # somebody's run that is not at its end
    row = file(film, name="film.mkv", opened=1)
    results = [Path(jobs.restore(visitor, row, {})["result"]).name for _ in range(2)]
    assert results == ["film-restored-3.mkv", "film-restored-4.mkv"]


def test_what_is_set_is_kept_as_text_alone(jobs, visitor):
    job = jobs.restore(visitor, file(), {"codec": "libx264", "strict": True})
    written = (folder_of(visitor, job) / "options.yaml").read_text()
    assert yaml.load(written, yaml.BaseLoader) == {"codec": "libx264", "strict": "true"}


def test_what_cannot_be_made_is_refused_and_leaves_nothing(jobs, visitor, database):
    with pytest.raises(UsageError):
        jobs.restore(visitor, file(), {"report": "/tmp/x"})
    with pytest.raises(RefusedError, match="larger"):
        jobs.restore(visitor, file(about=VIDEO | {"width": 16000, "height": 8000}), {"upscale": 2})
    assert database.all("jobs") == []
    assert not list(visitor.folder.glob("job-*"))


def test_there_may_be_only_so_many(jobs, visitor, database, monkeypatch):
    monkeypatch.setattr("vidrestore.ui.jobs._MOST_ACTIVE", 2)
    old = jobs.restore(visitor, file(), {})
    database.update("jobs", {"state": PAUSED}, id=old["id"])
    for _ in range(2):
        jobs.restore(visitor, file(), {})
    with pytest.raises(RefusedError) as caught:
        jobs.restore(visitor, file(), {})
    assert caught.value.status == 429
    with pytest.raises(RefusedError, match="too many jobs"):
        jobs.again(old)


@pytest.mark.parametrize(
    ("state", "again"), [(PAUSED, True), (CANCELLED, True), (RUNNING, False), (DONE, False)]
)
def test_a_job_is_queued_again(jobs, visitor, database, state, again):
    job = jobs.restore(visitor, file(), {})
    database.update("jobs", {"state": state}, id=job["id"])
    assert jobs.again(job) == again
    assert (database.one("jobs", id=job["id"])["state"] == WAITING) == again


def test_a_job_is_removed_with_its_files_but_not_while_it_runs(jobs, visitor, database):
    job = jobs.restore(visitor, file(), {})
    with pytest.raises(RefusedError, match="cancel it first"):
        jobs.remove(visitor, job)
    jobs.remove(visitor, job | {"state": DONE})
    assert database.all("jobs") == []
    assert not folder_of(visitor, job).exists()


def test_a_cancelled_run_leaves_nothing_beside_its_result(tmp_path):
    (tmp_path / ".a.mkv.vidrestore").mkdir()
    (tmp_path / ".a.mkv.vidrestore" / "segment").write_text("x")
    (tmp_path / "other.mkv").write_text("x")
    clean({"result": str(tmp_path / "a.mkv"), "state": CANCELLED})
    assert [path.name for path in tmp_path.iterdir()] == ["other.mkv"]
