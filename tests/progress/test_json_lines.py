"""Progress for programs."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import jsonschema
import pytest

from tests.support.batches import StandIn, make_batch
from tests.support.progress import Clock, go_through, task
from vidrestore.batch.inputs import find_inputs
from vidrestore.progress.json_lines import JsonLines

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "progress.schema.json").read_text())


class Written:
    """The lines that were written, checked against the schema."""

    def __init__(self) -> None:
        self.events: list[dict] = []

    def __call__(self, line: str) -> None:
        assert "\n" not in line
        assert line.isascii()
        self.events.append(json.loads(line))
        jsonschema.validate(self.events[-1], SCHEMA)

    def of(self, kind: str) -> list[dict]:
        """The events of a kind."""
        return [event for event in self.events if event["event"] == kind]


@pytest.fixture
def written() -> Written:
    return Written()


def test_every_event_of_a_batch_fits_the_schema(written, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for name, content in (("a.mp4", b"film"), ("b.mp4", b"bad"), ("c\n\udcff.mp4", b"film")):
        (source / name).write_bytes(content)
    for _ in range(2):
        with JsonLines(written) as progress:
            batch = make_batch(StandIn(), tmp_path / "out", progress)
            batch.run(find_inputs([str(source), "*.none"], batch.out, recursive=False))
    kinds = [event["event"] for event in written.events if event["event"] not in ("message", "progress")]
    assert kinds == [
        *("begin", "file", "done", "file", "failed", "file", "done", "end"),
        *("begin", "finished", "file", "failed", "finished", "end"),
    ]
    assert written.of("progress")
    assert written.of("done")[1]["file"] == str(source / "c\n\udcff.mp4")
    assert written.of("failed")[0]["error"] == f"{source / 'b.mp4'} cannot be read as a video"
    last = written.of("end")[0]
    assert (last["done"], last["failed"], last["interrupted"]) == (2, 1, False)
    assert len(last["problems"]) == 2


def test_progress_is_told_twice_a_second_and_when_a_file_is_complete(written):
    with JsonLines(written, clock=(clock := Clock())) as progress:
        progress.begin(files=1, frames=100)
        go_through(progress, clock, [task(1, 100)], seconds=0.1)
    told = written.of("progress")
    assert 18 <= len(told) <= 22
    assert told[-1]["frames"] == told[-1]["of"] == 100
    assert told[1]["seconds_left"] is None  # too early to say
    assert told[9]["seconds_left"] == pytest.approx(10 - told[9]["seconds"])


def test_messages_are_told_while_a_run_goes_on(written):
    log = logging.getLogger("vidrestore.media")
    with JsonLines(written):
        log.warning("a tag is lost")
    log.warning("later")
    assert written.of("message") == [{"event": "message", "level": "warning", "text": "a tag is lost"}]


@pytest.mark.parametrize(("error", "interrupted"), [(KeyboardInterrupt(), True), (ValueError("bad"), False)])
def test_how_a_run_ends_is_told_whatever_happens(written, error, interrupted):
    def run() -> None:
        with JsonLines(written) as progress:
            progress.begin_one(task(1, 2))
            raise error

    with pytest.raises(type(error)):
        run()
    last = written.events[-1]
    assert (last["event"], last["interrupted"], last["failed"]) == ("end", interrupted, int(not interrupted))
