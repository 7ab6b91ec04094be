"""Log messages of the command line go to standard error, and leave no trace in the logger."""

from __future__ import annotations

import logging

import pytest

from vidrestore.messages import messages_on_stderr


def test_one_line_a_message_with_its_level(capsys):
    log = logging.getLogger("vidrestore.some.module")
    with messages_on_stderr():
        log.info("%d frames", 3)
        log.warning("slow")
        log.debug("not shown")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["vidrestore: 3 frames", "vidrestore: warning: slow"]


def test_the_logger_is_as_it_was_before():
    log = logging.getLogger("vidrestore")
    before = (list(log.handlers), log.level, log.propagate)

    def failing():
        with messages_on_stderr():
            assert len(log.handlers) == len(before[0]) + 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert (list(log.handlers), log.level, log.propagate) == before
