"""Runs whose progress is told by the clock of a test."""

from __future__ import annotations

from pathlib import Path

from vidrestore.progress.progress import Progress, Task


class Clock:
    """Tells the seconds that it is set to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def task(number: int, frames: int | None, name: str = "film") -> Task:
    """A file of a batch."""
    return Task(
        file=Path(f"in/{name}{number}.mp4"),
        output=Path(f"out/{name}{number}.mp4"),
        number=number,
        frames=frames,
    )


def go_through(progress: Progress, clock: Clock, tasks: list[Task], *, seconds: float = 1.0) -> None:
    """Restore all frames of the files, in so many seconds each."""
    for each in tasks:
        progress.begin_file(each)
        for frame in range(1, (each.frames or 0) + 1):
            clock.now += seconds
            progress.count(frame, frame)
        progress.end_file(each, "done", {"faces": 0, "seconds": 1.0, "model": "none"})
