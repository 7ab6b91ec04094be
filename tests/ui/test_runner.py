"""The queue at work. Jobs are small programs."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from tests.support.page import fill
from vidrestore.ui.database import CANCELLED, DONE, FAILED, PAUSED, RUNNING, WAITING, Database
from vidrestore.ui.runner import Runner

#: Tells of progress, and waits to be ended, if it is the first time.
LONG = """
import json, pathlib, signal, sys, time
out = pathlib.Path(sys.argv[1])
again = out.with_suffix(".begun").exists()
out.with_suffix(".begun").touch()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
print(json.dumps({"event": "progress", "frames": 5, "of": 10, "seconds_left": 3}), flush=True)
if not again:
    time.sleep(60)
out.write_text("whole")
"""
SHORT = """
import json, os, pathlib, sys
print("no JSON")
print(json.dumps({"event": "message", "level": "warning", "text": "careful with " + sys.argv[1]}))
print(json.dumps({"event": "done", "file": "x", "frames": 10, "faces": 3, "seconds": 1, "model": "lite"}))
pathlib.Path(sys.argv[1]).write_text(os.environ["VIDRESTORE_UNTRUSTED"])
"""
WRONG = "import sys; sys.exit('vidrestore: error: ' + sys.argv[1] + ' is wrong')"


class Queue:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database(folder / "page.sqlite")
        if not self.database.all("visitors"):
            for name in "ab":
                self.database.add("visitors", {"id": name, "secret": name, "csrf": "", "seen": time.time()})
        self.runner = Runner(self.database, folder)

    def add(
        self, identity: str, code: str, *, visitor: str = "a", kind: str = "restore", state: str = WAITING
    ):
        result = self.folder / f"{identity}.mkv"
        named = {"id": identity, "visitor": visitor, "file": "f", "name": "n", "kind": kind, "state": state}
        command = [sys.executable, "-c", code, str(result)]
        made = len(self.database.all("jobs"))
        self.database.add(
            "jobs", named | {"options": {}, "command": command, "result": str(result), "made": made}
        )
        self.runner.wake()
        return result

    def row(self, identity: str) -> dict:
        found = self.database.one("jobs", id=identity)
        assert found is not None
        return found

    def wait(self, identity: str, state: str, *, told: bool = False) -> dict:
        for _ in range(600):
            row = self.row(identity)
            if row["state"] == state and (row["progress"] or not told):
                return row
            time.sleep(0.05)
        raise AssertionError(f"{identity} stays {row['state']}")


@pytest.fixture
def queue(tmp_path):
    made = Queue(tmp_path)
    yield made
    if made.runner._thread.is_alive():
        made.runner.end()
    made.database.close()


def test_a_job_is_run_and_tells_of_itself(queue, monkeypatch):
    monkeypatch.delenv("VIDRESTORE_UNTRUSTED", raising=False)
    result = queue.add("1", SHORT)
    queue.runner.begin()
    row = queue.wait("1", DONE)
    assert (row["progress"]["faces"], row["progress"]["model"]) == (3, "lite")
    assert row["messages"] == [["warning", "careful with 1.mkv"]], "without the server's folders"
    assert result.read_text() == "1", "its inputs are a stranger's"


def test_a_job_that_fails_says_why(queue):
    queue.add("1", WRONG)
    queue.add("2", SHORT)
    queue.runner.begin()
    assert queue.wait("1", FAILED)["progress"]["error"] == "1.mkv is wrong"
    queue.wait("2", DONE)


#: Tells of more than a database has room for.
LARGE = """
import json, pathlib, sys
print(json.dumps({"event": "done", "file": "x", "frames": 10, "model": "m" * 50_000}))
pathlib.Path(sys.argv[1]).write_text("whole")
"""


def test_the_queue_waits_for_room_on_a_full_disk(queue, monkeypatch, caplog):
    monkeypatch.setattr("vidrestore.ui.runner._PAUSE", 0.05)
    queue.add("1", LARGE)
    fill(queue.database)
    queue.runner.begin()
    for _ in range(600):
        if "cannot write its queue" in caplog.text:
            break
        time.sleep(0.05)
    assert queue.row("1")["state"] == RUNNING
    fill(queue.database, full=False)
    assert queue.wait("1", DONE)["progress"]["frames"] == 10
    assert caplog.text.count("cannot write its queue") == 1
    queue.add("2", SHORT)
    queue.wait("2", DONE)


def test_a_job_is_paused_and_goes_on(queue):
    result = queue.add("1", LONG)
    queue.runner.begin()
    assert queue.wait("1", RUNNING, told=True)["progress"]["of"] == 10
    assert queue.runner.stop("1", keep=True)
    queue.wait("1", PAUSED)
    assert not result.exists()
    queue.database.update("jobs", {"state": WAITING}, id="1")
    queue.runner.wake()
    queue.wait("1", DONE)
    assert result.read_text() == "whole"


@pytest.mark.parametrize("keep", [True, False])
def test_a_job_that_is_stopped_when_its_result_is_complete_is_done(queue, keep):
    """While it writes its report: another try would refuse to replace the result."""
    late = LONG.replace("if not again:", 'out.write_text("whole")\nif not again:')
    late = late.replace("print(", "out.write_text('whole')\nprint(")
    result = queue.add("1", late)
    queue.runner.begin()
    queue.wait("1", RUNNING, told=True)
    assert queue.runner.stop("1", keep=keep)
    assert queue.wait("1", DONE)["progress"]["of"] == 10
    assert result.read_text() == "whole"


@pytest.mark.parametrize("state", [WAITING, PAUSED, RUNNING])
def test_a_job_is_cancelled_and_leaves_nothing(queue, state):
    result = queue.add("1", LONG, state=WAITING if state == RUNNING else state)
    left = result.with_name(f".{result.name}.vidrestore")
    left.mkdir()
    if state == RUNNING:
        queue.runner.begin()
        queue.wait("1", RUNNING, told=True)
    assert queue.runner.stop("1", keep=False)
    queue.wait("1", CANCELLED)
    for _ in range(100):
        if not left.exists():
            break
        time.sleep(0.02)
    assert not left.exists()
    assert not queue.runner.stop("1", keep=False), "it is at its end"


def test_a_job_that_does_not_end_is_killed(queue, monkeypatch):
    """As one does whose decoder hangs: nobody else's job would ever be run."""
    monkeypatch.setattr("vidrestore.ui.runner._PATIENCE", 0.5)
    deaf = LONG.replace("lambda *_: sys.exit(143)", "signal.SIG_IGN").replace("sleep(60)", "sleep(600)")
    queue.add("1", deaf)
    queue.add("2", SHORT)
    queue.runner.begin()
    queue.wait("1", RUNNING, told=True)
    assert queue.runner.stop("1", keep=False)
    queue.wait("1", CANCELLED)
    queue.wait("2", DONE)


def test_a_job_whose_visitor_leaves_is_ended_and_leaves_nothing(queue):
    result = queue.add("1", LONG)
    left = result.with_name(f".{result.name}.vidrestore")
    left.mkdir()
    queue.runner.begin()
    queue.wait("1", RUNNING, told=True)
    queue.runner.stop("1", keep=False)
    queue.database.remove("visitors", id="a")
    queue.add("2", SHORT, visitor="b")
    queue.wait("2", DONE)
    assert not left.exists()


def test_jobs_survive_the_end_of_the_server(queue, tmp_path):
    result = queue.add("1", LONG)
    queue.add("2", SHORT)
    queue.runner.begin()
    queue.wait("1", RUNNING, told=True)
    queue.runner.end()
    assert [queue.row(job)["state"] for job in "12"] == [WAITING, WAITING]
    again = Queue(tmp_path)
    again.runner.begin()
    again.wait("1", DONE)
    again.wait("2", DONE)
    again.runner.end()
    again.database.close()
    assert result.read_text() == "whole"


def test_what_a_killed_server_left_is_put_in_order(queue):
    for identity, state in (("1", RUNNING), ("2", "pausing"), ("3", "cancelling")):
        queue.add(identity, SHORT, state=state)
    queue.runner.begin()
    queue.wait("1", DONE)
    assert [queue.row(job)["state"] for job in "23"] == [PAUSED, CANCELLED]


def test_a_run_waits_for_an_orphan_that_holds_its_output(queue, monkeypatch):
    monkeypatch.setattr("vidrestore.ui.runner._PAUSE", 0.01)
    held = (
        "import json, pathlib, sys\nbegun = pathlib.Path(sys.argv[1] + '.begun')\n"
        "again = begun.exists()\nbegun.open('a').write('run ')\n"
        "if again: sys.exit(0)\n"
        "print(json.dumps({'event': 'failed', 'error': 'another run is writing x'})); sys.exit(1)"
    )
    result = queue.add("1", held)
    queue.runner.begin()
    queue.wait("1", DONE)
    assert result.with_name(f"{result.name}.begun").read_text() == "run run ", "the first, and one more"


def test_visitors_take_turns_and_finding_faces_comes_first(queue):
    for identity, visitor, kind in (
        ("1", "a", "restore"),
        ("2", "a", "restore"),
        ("3", "b", "restore"),
        ("4", "a", "analyze"),
    ):
        queue.add(identity, SHORT, visitor=visitor, kind=kind)
    order = []
    for _ in range(4):
        job = queue.runner._next()
        queue.runner._run(job)
        order.append(job["id"])
    assert order == ["4", "3", "1", "2"]


def test_lines_of_progress_are_those_of_the_schema(queue):
    queue.add("1", SHORT, state=RUNNING)
    line = json.dumps({"event": "progress", "file": "/x", "frames": 3, "of": 9, "seconds_left": None})
    queue.runner._hear(queue.row("1"), line, {})
    assert queue.row("1")["progress"] == {"frames": 3, "of": 9, "seconds_left": None}
