"""The log of a stage: mean figures every few steps. A resumed run continues it seamlessly."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

COLUMNS = (
    *("step", "seconds", "faces_per_second", "loss", "input", "l1", "perceptual", "identity"),
    *("perceptual_one", "perceptual_zero", "imitation", "commitment", "codes", "adversarial", "adaptive"),
    *("discriminator", "entropy", "feature", "accuracy", "growth", "norm", "rate"),
    *("perceptual_eyes", "perceptual_mouth", "discriminator_eyes", "discriminator_mouth"),
)


class Log:
    """Writes the means of the figures of every ``EVERY`` steps to ``<stage>.csv`` in the folder ``run``, and
    for TensorBoard, if it is installed, to the folder ``tensorboard`` there.

    ``batch`` is the number of faces per step. Checkpoints contain the log's :meth:`state`: the figures of the
    steps since the last line, and the seconds spent.
    """

    EVERY = 20

    def __init__(self, run: Path, stage: str, *, batch: int) -> None:
        self.path = run / f"{stage}.csv"
        self.board = run / "tensorboard" / stage
        self.batch = batch
        self.sums: dict[str, list[float]] = {}
        self.seconds = self.line = 0.0  # training time so far, and at the last line
        self.since = time.monotonic()
        self.writer: Any = None

    def state(self) -> dict[str, Any]:
        """Return the state to save in a checkpoint."""
        return {"sums": self.sums, "seconds": self._seconds(), "line": self.line}

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.sums, self.seconds, self.line = state["sums"], state["seconds"], state["line"]

    def begin(self, step: int) -> None:
        """Start the clock. Drop lines after ``step``: a killed run wrote them after its last checkpoint."""
        self.since = time.monotonic()
        lines = []
        if self.path.exists():
            with self.path.open(newline="", encoding="utf-8") as file:
                lines = [line for line in csv.DictReader(file) if int(line["step"]) <= step]
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(lines)
        if find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(self.board, purge_step=step + 1)

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Add the figures of ``step``, counted from 1."""
        for name, value in figures.items():
            self.sums.setdefault(name, []).append(value)
        if step % self.EVERY:
            return
        now = self._seconds()
        means = {k: sum(v) / len(v) for k, v in self.sums.items()}
        steps = max(map(len, self.sums.values()))
        means["faces_per_second"] = steps * self.batch / max(now - self.line, 1e-6)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            row = {"step": step, "seconds": f"{now:.1f}"} | {k: f"{v:.5g}" for k, v in means.items()}
            csv.DictWriter(file, COLUMNS).writerow(row)
        if self.writer is not None:
            for name, value in means.items():
                self.writer.add_scalar(name, value, step)
        self.line = now
        self.sums.clear()

    def end(self) -> None:
        """Stop the clock and flush all files."""
        self.seconds, self.since = self._seconds(), time.monotonic()
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def _seconds(self) -> float:
        return self.seconds + time.monotonic() - self.since
