"""The process that looks into files for the page."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from vidrestore.errors import InputError
from vidrestore.ui.worker import Worker

ECHO = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "die": os._exit(1)
    if asked["do"] == "hang": __import__("time").sleep(60)
    if asked["do"] == "fail": print(json.dumps({"error": "no"}), flush=True); continue
    told = {"asked": asked, "process": os.getpid(), "stranger": os.environ["VIDRESTORE_UNTRUSTED"]}
    print(json.dumps(told), flush=True)
"""


@pytest.fixture
def worker():
    made = Worker((sys.executable, "-c", ECHO))
    yield made
    made.end()


def test_it_answers_one_after_another(worker):
    answers = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(worker.ask({"do": "x", "n": n}))) for n in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer["asked"]["n"] for answer in answers) == [0, 1, 2, 3, 4]
    assert {answer["process"] for answer in answers} != {os.getpid()}
    assert len({answer["process"] for answer in answers}) == 1
    assert answers[0]["stranger"] == "1"


def test_what_goes_wrong_is_said(worker):
    with pytest.raises(InputError, match="no"):
        worker.ask({"do": "fail"})


def test_it_begins_again_after_a_death(worker):
    with pytest.raises(InputError, match="damaged"):
        worker.ask({"do": "die"})
    assert worker.ask({"do": "x"})["asked"] == {"do": "x"}


def test_one_that_hangs_is_ended(worker, monkeypatch):
    monkeypatch.setattr("vidrestore.ui.worker._PATIENCE", 0.3)
    with pytest.raises(InputError, match="too long"):
        worker.ask({"do": "hang"})


def test_errors_do_not_name_the_servers_folders(tmp_path):
    worker = Worker()
    path = tmp_path / "no film.mkv"
    try:
        with pytest.raises(InputError) as caught:
            worker.ask({"do": "persons", "path": str(path), "tracks": str(path)})
        assert str(tmp_path) not in str(caught.value)
    finally:
        worker.end()
