"""How far a batch of files is, and how long the rest takes. A run over one file is a batch of one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Literal, Self, get_args

#: How a file ended: restored now; finished by an earlier run; or with an error.
Ending = Literal["done", "finished", "failed"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)

#: Seconds since the first frame from which on those that followed tell how long the rest takes.
_TELLING = 2.0


@dataclass(frozen=True, kw_only=True)
class Task:
    """A file to restore."""

    file: Path
    output: Path
    number: int = 1  #: from 1
    frames: int | None = None  #: as its container says; 1 for a photo; None if unknown


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a batch is, during one of its files."""

    task: Task
    files: int | None  #: None if more may come
    frames: int  #: of the file, that are done
    faces: int  #: restored in these
    resumed: int  #: of these frames, those that earlier runs had finished
    all_done: int  #: frames of all files that are done
    all_frames: int | None  #: of all files; None if unknown
    seconds: float  #: since the beginning
    left: float | None  #: seconds that the rest is likely to take; None if that is not known yet


class Progress:
    """Counts what is done. Shows nothing: what shows it is in the classes that follow it.

    A context manager. Between :meth:`begin` and the end, each file is begun, counted by :meth:`count`, and
    ended.
    """

    def __init__(
        self,
        check: Callable[[], None] = lambda: None,
        *,
        unit: str = "frame",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``check`` is called after each frame and may raise an exception to end the run. ``unit`` says what
        is counted, if it is not frames; ``clock`` tells seconds."""
        self.unit = unit
        #: Raises an exception if the run is to end.
        self.check = check
        self._clock = clock
        self._files: int | None = None
        self._frames: int | None = None
        self._done = 0  # frames of the files that have ended
        self._worked = 0  # of these, those that were restored now
        self._began = clock()
        self._first: tuple[float, int] | None = None  # seconds and ``_worked`` at the first count
        self._standings: dict[Task, Standing] = {}  # of the files that have begun and not ended
        self._counting = RLock()
        self._endings = Counter[Ending]()
        self._problems: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if isinstance(error, Exception):
                for task in list(self._standings):
                    self.end_file(task, "failed", {"error": str(error)})
            counts = {ending: self._endings[ending] for ending in ENDINGS}
            self.show_last(
                {
                    **counts,
                    "problems": self._problems,
                    "interrupted": isinstance(error, KeyboardInterrupt),
                    "seconds": round(self._clock() - self._began, 3),
                }
            )
        finally:
            self.close()

    def begin(self, *, files: int | None, frames: int | None) -> None:
        """A batch begins; ``frames`` are all that are to be restored. None if it is unknown how many."""
        self._files, self._frames = files, frames
        self._began, self._first = self._clock(), None

    def begin_one(self, task: Task) -> None:
        """A run over one file begins."""
        self.begin(files=1, frames=task.frames)
        self.begin_file(task)

    def expect(self, frames: int) -> None:
        """It has turned out how many frames there are in all."""
        self._frames = frames

    def begin_file(self, task: Task) -> None:
        """A file begins; others may not have ended."""
        with self._counting:
            self._standings[task] = Standing(
                task=task,
                files=self._files,
                frames=0,
                faces=0,
                resumed=0,
                all_done=self._all_done,
                all_frames=self._frames,
                seconds=self._clock() - self._began,
                left=None,
            )
            self.show_begin(self._standings[task])

    def counter(self, task: Task) -> Callable[[int, int], None]:
        """What :meth:`count` is for the file that began last, for another one. Threads may call it."""
        return lambda frames, faces: self._count(task, frames, faces)

    def count(self, frames: int, faces: int) -> None:
        """``frames`` of the file that began last are done, with ``faces`` in them. The first time it may be
        many: those that earlier runs had finished, and one."""
        self._count(next(reversed(self._standings)), frames, faces)

    @property
    def _all_done(self) -> int:
        return self._done + sum(standing.frames for standing in self._standings.values())

    def _count(self, task: Task, frames: int, faces: int) -> None:
        self.check()
        with self._counting:
            before = self._standings[task]
            resumed = frames - 1 if before.frames == 0 and frames > 1 else before.resumed
            counted = self._standings[task] = replace(before, frames=frames, faces=faces, resumed=resumed)
            running, everything = self._standings.values(), self._frames
            if everything is not None:
                # More than the container said.
                everything += sum(max(0, each.frames - (each.task.frames or 0)) for each in running)
            seconds, left = self._clock() - self._began, None
            worked = self._worked + sum(each.frames - each.resumed for each in running)
            # The first frame is late: it waits for weights, and for frames that restoration looks ahead at.
            first, first_worked = self._first = self._first or (seconds, worked)
            if everything is not None and worked > first_worked and seconds - first >= _TELLING:
                left = (everything - self._all_done) * (seconds - first) / (worked - first_worked)
            self.show(
                replace(counted, all_done=self._all_done, all_frames=everything, seconds=seconds, left=left)
            )

    def end_file(self, task: Task, ending: Ending, about: Mapping[str, Any]) -> None:
        """A file has ended. ``about`` says what was done, or why it failed, ready for JSON."""
        with self._counting:
            standing = self._standings.pop(task, None)
            frames = task.frames or 0
            if standing is not None:
                if ending == "done":
                    frames = standing.frames
                self._worked += standing.frames - standing.resumed
                if self._frames is not None:
                    self._frames += frames - (task.frames or 0)
                self._done += frames
            self._endings[ending] += 1
            if ending == "failed":
                self.problem(str(about["error"]))
            self.show_end(task, ending, about)

    def problem(self, text: str) -> None:
        """Something of the batch failed."""
        self._problems.append(text)

    def close(self) -> None:
        """Remove from the screen what is only for the time of the run."""

    def show_begin(self, standing: Standing) -> None:
        """Show that a file begins."""

    def show(self, standing: Standing) -> None:
        """Show how far the run is."""

    def show_end(self, task: Task, ending: Ending, about: Mapping[str, Any]) -> None:
        """Show that a file has ended."""

    def show_last(self, about: Mapping[str, Any]) -> None:
        """Show how the batch has ended; ``about`` sums it up, ready for JSON."""


def whole(counts: list[int | None]) -> int | None:
    """All frames of files with these numbers of frames; unknown ones count as the others on average. None if
    all are unknown."""
    known = [count for count in counts if count is not None]
    if not known:
        return None
    return sum(known) + round(sum(known) / len(known)) * (len(counts) - len(known))


def duration(seconds: float) -> str:
    """A duration for people, in its two largest units.

    >>> duration(7.2), duration(95), duration(7260), duration(90000)
    ('7 s', '1 min 35 s', '2 h 1 min', '25 h')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(whole / 60)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
