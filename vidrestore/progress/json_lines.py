"""Progress for programs: one JSON object per line on standard output (docs/progress.schema.json)."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from .progress import Ending, Progress, Standing, Task

#: Seconds between two lines of ``progress`` at least.
_INTERVAL = 0.5


class JsonLines(Progress):
    """Writes every event, and log messages as events, with ``write``, one call a line."""

    def __init__(self, write: Callable[[str], object], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._write = write
        self._lock = threading.Lock()  # messages come from any thread
        self._next = 0.0
        self._handler = _Messages(self.tell)
        logging.getLogger("vidrestore").addHandler(self._handler)

    def begin(self, *, files: int | None, frames: int | None) -> None:
        """Tell how much is to be done."""
        super().begin(files=files, frames=frames)
        self.tell("begin", files=files, frames=frames)

    def show_begin(self, standing: Standing) -> None:
        """Tell which file begins."""
        self.tell("file", **_named(standing.task), files=standing.files, frames=standing.task.frames)

    def show(self, standing: Standing) -> None:
        """Tell how far the run is, if the last line was long enough ago, or the file is complete."""
        if standing.seconds < self._next and standing.frames != standing.task.frames:
            return
        self._next = standing.seconds + _INTERVAL
        self.tell(
            "progress",
            **_named(standing.task),
            files=standing.files,
            frames=standing.frames,
            of=standing.task.frames,
            faces=standing.faces,
            resumed=standing.resumed,
            all_done=standing.all_done,
            all_frames=standing.all_frames,
            seconds=round(standing.seconds, 3),
            seconds_left=None if standing.left is None else round(standing.left, 3),
        )

    def show_end(self, task: Task, ending: Ending, about: Mapping[str, Any]) -> None:
        """Tell how a file ended."""
        self.tell(ending, **_named(task), **about)

    def show_last(self, about: Mapping[str, Any]) -> None:
        """Tell how the batch ended."""
        self.tell("end", **about)

    def close(self) -> None:
        """Take no more messages."""
        logging.getLogger("vidrestore").removeHandler(self._handler)

    def tell(self, event: str, **about: Any) -> None:
        """Write one line."""
        # ASCII only: names of files may hold bytes that are not valid text.
        line = json.dumps({"event": event, **about})
        with self._lock:
            self._write(line)


class _Messages(logging.Handler):
    """Tells of log messages as events."""

    def __init__(self, tell: Callable[..., None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell("message", level=record.levelname.lower(), text=record.getMessage())


def _named(task: Task) -> dict[str, Any]:
    return {"file": str(task.file), "output": str(task.output), "number": task.number}
