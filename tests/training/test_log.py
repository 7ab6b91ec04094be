"""The log: means of several steps, continued seamlessly after an interruption."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path

import pytest

from vidrestore.training.log import Log


def feed(log: Log, first: int, last: int) -> None:
    for step in range(first, last + 1):
        figures = {"loss": float(step), "norm": 2.0}
        log.add(step, figures | ({"perceptual": 1.0} if step % 2 else {}))


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_line_is_the_mean_of_its_steps(tmp_path: Path) -> None:
    log = Log(tmp_path, "stage1", batch=4)
    log.begin(0)
    feed(log, 1, 50)
    log.end()
    rows = lines(tmp_path / "stage1.csv")
    assert [row["step"] for row in rows] == ["20", "40"]
    assert [float(row["loss"]) for row in rows] == [10.5, 30.5]
    assert [float(row["perceptual"]) for row in rows] == [1, 1]
    assert all(float(row["faces_per_second"]) > 0 for row in rows)
    assert rows[0]["entropy"] == ""


def test_a_killed_run_is_continued_seamlessly(tmp_path: Path) -> None:
    log = Log(tmp_path, "stage1", batch=4)
    log.begin(0)
    feed(log, 1, 30)
    state = log.state()
    state = {**state, "sums": {k: list(v) for k, v in state["sums"].items()}}
    feed(log, 31, 70)  # lines after the checkpoint
    assert len(lines(log.path)) == 3
    again = Log(tmp_path, "stage1", batch=4)
    again.load(state)
    again.begin(30)
    assert [row["step"] for row in lines(log.path)] == ["20"]
    feed(again, 31, 60)
    again.end()
    rows = lines(log.path)
    assert [float(row["loss"]) for row in rows] == [10.5, 30.5, 50.5]
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="no TensorBoard")
def test_tensorboard_has_the_same_figures(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = Log(tmp_path, "stage2", batch=4)
    log.begin(0)
    feed(log, 1, 40)
    log.end()
    events = EventAccumulator(str(tmp_path / "tensorboard" / "stage2")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(20, 10.5), (40, 30.5)]


def test_without_tensorboard_there_is_only_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidrestore.training.log.find_spec", lambda name: None)
    log = Log(tmp_path, "stage2", batch=4)
    log.begin(0)
    feed(log, 1, 20)
    log.end()
    assert len(lines(log.path)) == 1
    assert not log.board.exists()
