"""Notes on disk."""

from __future__ import annotations

import errno
import tempfile

import pytest
from msgspec import to_builtins

from tests.support.notes import face, frames, left_alone
from vidrestore.errors import OutputError
from vidrestore.review.spool import Spool

NOTES = frames([face(1), left_alone(2)], [], [face(2)])


def test_notes_come_back_as_often_as_wanted():
    with Spool() as spool:
        spool.add(NOTES[:2])
        assert list(spool) == NOTES[:2]
        spool.add(NOTES[2:])
        assert list(spool) == NOTES
        assert list(spool) == NOTES
        assert spool.frames == 3


def test_what_segments_kept_is_understood():
    with Spool() as spool:
        spool.add_infos([{"faces": note.restored, "notes": to_builtins(note)} for note in NOTES])
        assert list(spool) == NOTES


def test_a_full_disk_is_said(monkeypatch):
    class Full:
        def write(self, _: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    with Spool() as spool, pytest.raises(OutputError, match=r"cannot be kept in .*: No space left on device"):
        spool.add(NOTES)
