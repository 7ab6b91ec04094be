"""Every test runs offline with an empty weights cache, and fails if it logs an error."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

# Set before torch starts its threads: threads that spin slow each other down on shared cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest

# A shell starts background processes with SIGINT ignored; tests that send it expect Python's own handler.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "1")
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path_factory.getbasetemp() / "no-weights-here"))


@pytest.fixture(autouse=True)
def _no_error_logged() -> Iterator[None]:
    """Fail a test during which anything logged an error.

    Records are noted where they are made, so that neither a logger's handlers nor its ``propagate`` matter.
    """
    make_record = logging.getLogRecordFactory()
    errors: list[logging.LogRecord] = []

    def note_errors(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        # The entry point reports a failed command with the package's own logger: tests of those expect it.
        if record.levelno >= logging.ERROR and record.name != "vidrestore":
            errors.append(record)
        return record

    logging.setLogRecordFactory(note_errors)
    yield
    logging.setLogRecordFactory(make_record)
    assert not errors, f"the test logged errors: {[record.getMessage() for record in errors]}"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of recorded data."""
    return Path(__file__).parent / "data"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape what is no text in messages that a test made, such as names of files: reports are sent between
    processes as UTF-8."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report
