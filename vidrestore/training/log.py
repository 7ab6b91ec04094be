"""The log of a stage: a line of means every few steps, that a resumed run continues without a seam."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COLUMNS = (
    *("step", "seconds", "loss", "l1", "perceptual", "commitment", "codes"),
    *("entropy", "feature", "accuracy", "norm"),
)


class Log:
    """A CSV of the mean figures of every ``EVERY`` steps.

    The checkpoint holds its :meth:`state`: the figures of the steps since the last line, and the seconds
    spent.
    """

    EVERY = 20

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sums: dict[str, list[float]] = {}
        self.seconds = 0.0
        self.since = time.monotonic()

    def state(self) -> dict[str, Any]:
        """The inverse of :meth:`load`."""
        return {"sums": self.sums, "seconds": self._seconds()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take the state of a checkpoint."""
        self.sums, self.seconds = state["sums"], state["seconds"]

    def begin(self, step: int) -> None:
        """Start the clock. Lines behind ``step``, which a killed run wrote after its last checkpoint, are
        dropped."""
        self.since = time.monotonic()
        lines = []
        if self.path.exists():
            with self.path.open(newline="", encoding="utf-8") as file:
                lines = [line for line in csv.DictReader(file) if int(line["step"]) <= step]
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(lines)

    def _seconds(self) -> float:
        return self.seconds + time.monotonic() - self.since

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """The figures of ``step``, counted from 1."""
        for name, value in figures.items():
            self.sums.setdefault(name, []).append(value)
        if step % self.EVERY == 0:
            row: dict[str, Any] = {k: f"{sum(v) / len(v):.5g}" for k, v in self.sums.items()}
            row |= {"step": step, "seconds": f"{self._seconds():.1f}"}
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, COLUMNS).writerow(row)
            self.sums.clear()
