"""What the page remembers."""

from __future__ import annotations

import threading

import pytest

from tests.support.page import fill
from vidrestore.errors import InputError, OutputError
from vidrestore.ui.database import Database


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "page.sqlite", clock=lambda: 5.0)
    opened.add("visitors", {"id": "v", "secret": "s", "csrf": "c", "seen": 1.0})
    yield opened
    opened.close()


def job(identity: str, state: str) -> dict:
    return {
        "id": identity,
        "visitor": "v",
        "file": "f",
        "name": "n",
        "kind": "restore",
        "state": state,
        "options": {"w": "1"},
        "command": ["a", "b"],
        "result": "r",
        "made": 1.0,
    }


def test_rows_come_back_as_they_went_in(database):
    database.add("jobs", job("1", "waiting"))
    assert database.one("jobs", id="1").items() >= job("1", "waiting").items()
    assert database.one("jobs", id="1")["progress"] == {}
    assert database.one("jobs", id="2") is None


def test_rows_are_found_and_changed_by_values(database):
    for identity, state in (("1", "waiting"), ("2", "running"), ("3", "done")):
        database.add("jobs", job(identity, state))
    assert [row["id"] for row in database.all("jobs", state=("waiting", "running"))] == ["1", "2"]
    assert database.update("jobs", {"state": "paused", "progress": {"of": 3}}, id="2", state="running") == 1
    assert database.update("jobs", {"state": "paused"}, id="3", state="running") == 0
    assert database.one("jobs", id="2")["progress"] == {"of": 3}


def test_a_value_is_never_a_part_of_the_statement(database):
    database.add("jobs", job("1", "waiting"))
    assert database.all("jobs", id="1' OR '1'='1") == []
    database.remove("jobs", id="x'; DROP TABLE jobs; --")
    assert len(database.all("jobs")) == 1


def test_a_visitors_jobs_go_with_them(database):
    database.add("jobs", job("1", "done"))
    database.remove("visitors", id="v")
    assert database.all("jobs") == []


def test_it_is_there_after_a_restart(tmp_path, database):
    database.add("jobs", job("1", "waiting"))
    database.close()
    again = Database(tmp_path / "page.sqlite")
    assert again.one("jobs", id="1")["command"] == ["a", "b"]
    again.close()


def test_many_threads_may_write(database):
    threads = [
        threading.Thread(target=lambda n=n: database.add("jobs", job(str(n), "done"))) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(database.all("jobs")) == 20


def test_a_full_disk_is_one_sentence(database):
    fill(database)
    with pytest.raises(OutputError, match="cannot write its queue"):
        database.add("jobs", job("1", "x" * 100_000))
    assert database.all("jobs") == []


def test_what_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / "page.sqlite").write_bytes(b"no database " * 500)
    with pytest.raises(InputError, match="damaged"):
        Database(tmp_path / "page.sqlite")
