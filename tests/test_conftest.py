"""The guard of ``conftest.py`` fails tests that log an error, and no others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = """
import logging
import pytest

def log(name, level):
    logging.getLogger(name).log(level, "a message")

def test_a_module_logs_an_error():
    log("vidrestore.media", logging.ERROR)

def test_a_library_logs_an_error():
    log("library", logging.CRITICAL)

def test_an_error_is_logged_where_the_logger_propagates_nothing(monkeypatch):
    monkeypatch.setattr(logging.getLogger("vidrestore"), "propagate", False)
    log("vidrestore.media", logging.ERROR)

def test_a_warning_is_logged():
    log("vidrestore.media", logging.WARNING)

def test_the_command_line_reports_a_failure():
    log("vidrestore", logging.ERROR)

def test_nothing_is_logged():
    pass
"""
ERRORS = {
    "test_a_module_logs_an_error",
    "test_a_library_logs_an_error",
    "test_an_error_is_logged_where_the_logger_propagates_nothing",
}


def test_a_test_that_logs_an_error_fails(tmp_path: Path) -> None:
    (tmp_path / "test_logging.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-rE", "."]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 1, done.stderr
    assert set(re.findall(r"^ERROR test_logging\.py::(\w+)", done.stdout, re.MULTILINE)) == ERRORS
    assert "6 passed, 3 errors" in done.stdout
    assert "the test logged errors: ['a message']" in done.stdout
