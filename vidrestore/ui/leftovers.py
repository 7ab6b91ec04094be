"""What jobs that did not end leave beside their results."""

from __future__ import annotations

from pathlib import Path

from ..media.output.destination import partial_path
from ..media.output.workfolder import WorkFolder
from .database import DONE, Row


def clean(job: Row) -> None:
    """Remove what a job that did not end has left beside its result, but nothing that another run, as of a
    person at the command line, is writing under the same name."""
    result = Path(job["result"])
    if job["state"] != DONE and WorkFolder(result).discard():
        partial_path(result).unlink(missing_ok=True)
