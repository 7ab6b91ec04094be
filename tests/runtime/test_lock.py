"""A lock has one holder, and none once that holder has ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vidrestore.runtime.lock import hold, locked

_HOLD_FOREVER = """
import sys, time
from pathlib import Path
from vidrestore.runtime.lock import hold
lock = hold(Path(sys.argv[1]))
print("held" if lock else "refused", flush=True)
time.sleep(600)
"""


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = hold(path)
    assert held is not None
    assert hold(path) is None
    held.close()
    again = hold(path)
    assert again is not None
    again.close()


def test_a_killed_holder_holds_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD_FOREVER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        try:
            assert process.stdout.readline() == "held\n"
            assert hold(path) is None
        finally:
            process.kill()
        process.wait()
        held = hold(path)
        assert held is not None
        held.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows does not delete open files")
def test_a_lock_file_that_its_holder_deleted_is_made_anew(tmp_path: Path, monkeypatch) -> None:
    """As when the holder ends, and deletes the file, between another process's opening and locking it."""
    import vidrestore.runtime.lock as module

    path = tmp_path / "lock"
    real, attempts = module._try_lock, []

    def try_lock(file) -> bool:
        attempts.append(file)
        if len(attempts) == 1:
            path.unlink()
        return real(file)

    monkeypatch.setattr(module, "_try_lock", try_lock)
    held = hold(path)
    assert held is not None
    assert len(attempts) == 2
    assert path.exists()
    held.close()


def test_locked_waits_for_the_holder(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "lock"
    held = hold(path)
    assert held is not None
    waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            held.close()

    monkeypatch.setattr("vidrestore.runtime.lock.time.sleep", sleep)
    with locked(path):
        assert len(waits) == 3
        assert hold(path) is None
    assert path.exists()
