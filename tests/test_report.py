"""What is said of a run when it is over."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vidrestore.report import Report
from vidrestore.runtime.profile import Profile


def report(**changes: Any) -> Report:
    setup: Any = SimpleNamespace(restorer=SimpleNamespace(model="lite"), detector="a detector")
    given = {"frames": 30, "faces": 20, "tracks": 2, "resumed": 10, "seconds": 4.0} | changes
    return Report(output=Path("out.mkv"), setup=setup, profile=Profile(), **given)


def test_the_rate_counts_what_was_restored_now():
    assert str(report()) == "out.mkv: 30 frames, 20 faces, 2 tracks in 4.0 s (5.00 frames/s) with lite"


def test_workers_are_told_if_there_were_several():
    workers = [{"worker": "worker 1", "segments": 1}, {"worker": "worker 2", "segments": 2}]
    assert str(report(workers=workers)).endswith("with lite by 2 workers")
    assert report(workers=workers).times["workers"] == workers
    assert "workers" not in report().times
    assert str(report(workers=workers[:1])).endswith("with lite")


def test_the_table_is_of_stages_or_of_workers():
    assert report().table == report().profile.table()
    worker = {"worker": "worker 1 on a machine", "segments": 2, "frames": 250, "seconds": 12.34}
    lines = report(workers=[worker]).table.splitlines()
    assert lines[1].split() == ["2", "250", "12.3", "worker", "1", "on", "a", "machine"]
    assert lines[0].index("worker") == lines[1].index("worker")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"faces": 0}, "every face was skipped"),
        ({"faces": 0, "tracks": 0}, "no faces were found"),
    ],
    ids=str,
)
def test_a_run_that_restored_nothing_says_why(changes, why):
    warning = report(**changes).warning
    assert (warning is None) if why is None else str(warning).startswith(why)
