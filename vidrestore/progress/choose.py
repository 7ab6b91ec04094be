"""Which way of showing progress a run takes."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ..standard_streams import print_data
from .bar import Bar
from .json_lines import JsonLines
from .lines import Lines
from .progress import Progress


def choose_progress(
    check: Callable[[], None], *, quiet: bool, kind: str = "auto", unit: str = "frame"
) -> Progress:
    """JSON if ``kind`` is ``json``; else nothing if ``quiet``, a bar on a terminal, or lines. ``check`` and
    ``unit`` are those of :class:`.progress.Progress`."""
    if kind == "json":
        return JsonLines(print_data, check, unit=unit)
    if quiet:
        return Progress(check, unit=unit)
    return (Bar if sys.stderr.isatty() else Lines)(check, unit=unit)
