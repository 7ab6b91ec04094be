"""Monitoring a long run: whether it becomes slower or needs more and more memory."""

from __future__ import annotations

import sys
import time
from pathlib import Path

_STATUS = Path("/proc/self/status")


def resident_mb() -> float:
    """Return the resident memory of this process in MB: the current value on Linux, elsewhere the peak."""
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    return peak_mb()


def peak_mb() -> float:
    """Return the peak of the resident memory of this process in MB. Not available on Windows."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


class RunMonitor:
    """A progress callback that records speed and memory of each of ``parts`` equal parts of a run."""

    def __init__(self, frames: int, parts: int = 10) -> None:
        """``frames``: length of the run."""
        self.rows: list[dict[str, float]] = []
        self._size = max(1, frames // parts)
        self._parts = parts
        self._began = time.perf_counter()

    def __call__(self, frames: int, faces: int) -> None:
        """Record that ``frames`` frames and ``faces`` faces are done so far."""
        if frames % self._size or len(self.rows) == self._parts:
            return
        now = time.perf_counter()
        before = sum(row["faces"] for row in self.rows)
        self.rows.append(
            {
                "frames": frames,
                "faces": faces - before,
                "frames_per_second": self._size / (now - self._began),
                "resident_mb": resident_mb(),
            }
        )
        self._began = now
