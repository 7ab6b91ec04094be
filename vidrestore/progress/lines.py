"""Progress as plain lines in a log, at intervals that grow with the time that has passed."""

from __future__ import annotations

import logging

from .progress import Progress, Standing, duration

log = logging.getLogger(__name__)

#: Seconds between two lines at least.
_SHORTEST = 30.0
#: Share of the time passed that is between two lines: ten hours make about a hundred lines.
_SHARE = 0.05


class Lines(Progress):
    """A line through the log, like every other message, when one is due."""

    _next = _SHORTEST

    def show(self, standing: Standing) -> None:
        """Say how far the run is, if the last line was long ago."""
        if standing.seconds < self._next:
            return
        self._next = standing.seconds + max(_SHORTEST, _SHARE * standing.seconds)
        log.info("%s", describe(standing, self.unit))


def describe(standing: Standing, unit: str) -> str:
    """How far a batch is, in one line for people."""
    task, files, everything = standing.task, standing.files, standing.all_frames
    of = f" of {task.frames}" if task.frames is not None and task.frames >= standing.frames else ""
    parts = [f"{standing.frames}{of} {unit}s"]
    if everything:
        share = min(100, 100 * standing.all_done // everything)
        parts.append(f"{share} % of all files" if files != 1 else f"{share} %")
    if standing.left is not None:
        parts.append(f"{duration(standing.left)} left")
    which = "" if files == 1 else f"file {task.number}{f' of {files}' if files else ''}, "
    return f"{which}{task.file.name}: {', '.join(parts)}"
