"""Which way of showing progress a run takes."""

from __future__ import annotations

import sys

import pytest

from vidrestore.progress.bar import Bar
from vidrestore.progress.choose import choose_progress
from vidrestore.progress.json_lines import JsonLines
from vidrestore.progress.lines import Lines
from vidrestore.progress.progress import Progress


@pytest.mark.parametrize(
    ("terminal", "quiet", "kind", "chosen"),
    [
        (True, False, "auto", Bar),
        (False, False, "auto", Lines),
        (True, True, "auto", Progress),
        (False, True, "json", JsonLines),
        (True, False, "json", JsonLines),
    ],
)
def test_choice(monkeypatch, terminal, quiet, kind, chosen):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with choose_progress(lambda: None, quiet=quiet, kind=kind) as progress:
        assert type(progress) is chosen
