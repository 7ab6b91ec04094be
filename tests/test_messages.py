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


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a\nb.mp4", "a\\nb.mp4"),
        ("a\x1b[2Jb.mp4", "a\\x1b[2Jb.mp4"),
        ("a\u2028b.mp4", "a\\u2028b.mp4"),
        ("映画 é 🙂.mp4", "映画 é 🙂.mp4"),
    ],
)
def test_a_message_stays_on_its_line(capsys, name, line):
    with messages_on_stderr():
        logging.getLogger("vidrestore").info("%s is done", name)
    assert capsys.readouterr().err == f"vidrestore: {line} is done\n"
