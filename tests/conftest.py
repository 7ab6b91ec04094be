"""What every test may count on: no network, an empty cache, and no error logged unseen."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

# Set before torch starts its threads: spinning ones slow each other down where cores are shared.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "1")
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path_factory.getbasetemp() / "no-weights-here"))


@pytest.fixture(autouse=True)
def _no_error_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    # The entry point's own line is what a test of a wrong command looks for.
    records = [r for r in caplog.get_records("call") if r.name != "vidrestore"]
    errors = [r.getMessage() for r in records if r.levelno >= logging.ERROR]
    assert not errors, f"the test logged errors: {errors}"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of fixtures."""
    return Path(__file__).parent / "data"
