"""What jobs that did not end leave beside their results."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..media.output.destination import partial_path
from ..media.output.workfolder import WorkFolder
from .database import DONE, Row


def clean(job: Row) -> None:
    """Remove what a job that did not end has left beside its result."""
    result = Path(job["result"])
    if job["state"] != DONE:
        shutil.rmtree(WorkFolder(result).path, ignore_errors=True)
        partial_path(result).unlink(missing_ok=True)
