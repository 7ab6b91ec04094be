"""How a long run goes: whether it slows down, or takes more and more memory."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

_STATUS = Path("/proc/self/status")


def resident_mb() -> float:
    """Resident memory of this process in MB: now, or where the system does not say, at its peak."""
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
    return peak_mb()


def peak_mb() -> float:
    """The most that was resident in this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


class Course:
    """What to call after each frame of a run of ``frames``: notes speed and memory of each of ``parts``."""

    def __init__(self, frames: int, parts: int = 10) -> None:
        self.rows: list[dict[str, float]] = []
        self._size = max(1, frames // parts)
        self._parts = parts
        self._began = time.perf_counter()

    def __call__(self, frames: int, faces: int) -> None:
        """As ``progress`` of a run: so many frames and faces are done."""
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
