"""Who visits the page."""

from __future__ import annotations

import os

import pytest

from vidrestore.ui.database import Database
from vidrestore.ui.visitors import FORGOTTEN_AFTER, Visitors


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def database(tmp_path, clock):
    opened = Database(tmp_path / "page.sqlite", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def visitors(tmp_path, database):
    return Visitors(database, tmp_path / "visitors")


def add_job(database: Database, visitor: str, state: str, result: str = "r") -> None:
    named = {"id": visitor, "visitor": visitor, "file": "f", "name": "n", "kind": "restore", "state": state}
    database.add("jobs", named | {"options": {}, "command": [], "result": result, "made": 1.0})


def test_a_visitor_is_found_by_their_secret_alone(visitors, database):
    visitor, secret = visitors.add()
    assert visitors.find(secret) == visitor
    assert visitors.find(visitor.id) is None
    assert visitors.find("") is None
    assert secret not in str(database.all("visitors")), "the secret itself is not kept"
    if os.name == "posix":
        assert visitor.folder.stat().st_mode & 0o077 == 0


def test_who_does_not_come_back_is_forgotten_with_their_files(visitors, clock):
    visitor, secret = visitors.add()
    (visitor.folder / "upload").write_text("private")
    clock.now += 3601
    visitors.forget_old()
    assert visitors.find(secret) is None
    assert not visitor.folder.exists()


@pytest.mark.parametrize(
    ("state", "after", "kept"), [("done", 2, True), ("done", 9e9, False), ("waiting", 9e9, True)]
)
def test_results_are_kept_for_a_while_and_jobs_to_their_end(visitors, database, clock, state, after, kept):
    visitor, secret = visitors.add()
    add_job(database, visitor.id, state)
    clock.now += FORGOTTEN_AFTER - 1 if after == 2 else after
    visitors.forget_old()
    assert (visitors.find(secret) is not None) == kept


@pytest.mark.parametrize(("state", "left"), [("paused", False), ("failed", False), ("done", True)])
def test_what_jobs_left_in_an_opened_folder_goes_with_the_visitor(visitors, database, tmp_path, state, left):
    visitor, _ = visitors.add()
    work = tmp_path / ".film.mkv.vidrestore"
    work.mkdir()
    (tmp_path / "film.mkv").write_bytes(b"result")
    add_job(database, visitor.id, state, result=str(tmp_path / "film.mkv"))
    visitors.forget(visitor.id)
    assert work.exists() == left
    assert (tmp_path / "film.mkv").exists()


def test_the_end_of_the_server_removes_who_has_no_job(visitors, database):
    idle, working = visitors.add()[0], visitors.add()[0]
    add_job(database, working.id, "done")
    visitors.forget_old(at_end=True)
    assert not idle.folder.exists()
    assert working.folder.exists()


def test_folders_of_nobody_are_removed(visitors, tmp_path):
    visitors.add()
    stray = tmp_path / "visitors" / "stray"
    stray.mkdir()
    visitors.forget_old()
    assert not stray.exists()


def test_there_may_be_only_so_many(visitors, monkeypatch):
    monkeypatch.setattr("vidrestore.ui.visitors._MOST", 2)
    assert visitors.add()
    assert visitors.add()
    assert visitors.add() is None


def test_what_a_killed_server_has_left_of_uploads_is_removed(visitors, database):
    visitor, _ = visitors.add()
    add_job(database, visitor.id, "done")
    file = {"id": "f", "visitor": visitor.id, "name": "n", "path": "p", "opened": 0, "size": 1, "about": {}}
    database.add("files", file | {"made": 1.0})
    for name in ("half", "f", f"job-{visitor.id}"):
        (visitor.folder / name).mkdir()
    visitors.remove_unfinished()
    assert sorted(path.name for path in visitor.folder.iterdir()) == sorted(["f", f"job-{visitor.id}"])
