"""Progress in a log."""

from __future__ import annotations

import logging

import pytest

from tests.support.progress import Clock, go_through, task
from vidrestore.progress.lines import Lines


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> tuple[Lines, Clock]:
    """The progress and its clock."""
    caplog.set_level(logging.INFO, "vidrestore")
    return Lines(clock=(clock := Clock())), clock


def test_a_line_every_half_minute_and_none_for_a_short_run(lines, caplog):
    progress, clock = lines
    progress.begin(files=2, frames=100)
    go_through(progress, clock, [task(1, 40), task(2, 60)])
    assert caplog.messages == [
        "file 1 of 2, film1.mp4: 30 of 40 frames, 30 % of all files, 1 min 10 s left",
        "file 2 of 2, film2.mp4: 20 of 60 frames, 60 % of all files, 40 s left",
        "file 2 of 2, film2.mp4: 50 of 60 frames, 90 % of all files, 10 s left",
    ]


def test_a_long_run_says_less_and_less_often(lines, caplog):
    progress, clock = lines
    progress.begin(files=1, frames=36000)
    go_through(progress, clock, [task(1, 36000)])
    assert 40 < len(caplog.messages) < 120
    assert caplog.messages[0] == "film1.mp4: 30 of 36000 frames, 0 %, 10 h left"


@pytest.mark.parametrize(("files", "frames"), [(None, None), (1, None)])
def test_what_is_not_known_is_not_said(lines, caplog, files, frames):
    progress, clock = lines
    progress.begin(files=files, frames=frames)
    progress.begin_file(task(1, None))
    clock.now = 60
    progress.count(5, 5)
    which = "" if files else "file 1, "
    assert caplog.messages == [f"{which}film1.mp4: 5 frames"]
