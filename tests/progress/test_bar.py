"""Progress on a terminal."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable

import pytest

from tests.support.progress import Clock, task
from vidrestore.messages import messages_on_stderr
from vidrestore.progress.bar import Bar


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Make standard error a terminal; what is returned tells everything that was written to it."""
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    return screen.getvalue


def shown(written: str) -> list[str]:
    """The lines that stay on the screen: of each, what was written since the last carriage return."""
    lines = [[part for part in line.split("\r") if part] for line in written.split("\n")]
    return [parts[-1].strip() if parts else "" for parts in lines]


def test_messages_stay_above_the_bar_and_the_bar_goes(monkeypatch):
    screen = terminal(monkeypatch)
    with messages_on_stderr(), Bar(clock=Clock()) as bar:
        bar.begin(files=2, frames=5)
        bar.begin_file(task(1, 2))
        bar.count(1, 1)
        logging.getLogger("vidrestore").warning("a tag is lost")
        assert "[1 of 2] film1.mp4" in screen()
        bar.end_file(task(1, 2), "done", {})
        bar.begin_file(task(2, 3, "two\nlines"))
        logging.getLogger("vidrestore").warning("another tag is lost")
        assert "[2 of 2] two\\nlines2.mp4" in screen()
    assert shown(screen()) == [
        "vidrestore: warning: a tag is lost",
        "vidrestore: warning: another tag is lost",
        "",
    ]


def test_one_file_has_no_number(monkeypatch):
    screen = terminal(monkeypatch)
    with Bar(clock=Clock()) as bar:
        bar.begin_one(task(1, 2))
        assert screen().startswith("\rfilm1.mp4:   0%")
