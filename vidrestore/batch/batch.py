"""Restores many files, one after another, with networks that are loaded once."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, OutputError, UsageError, VidrestoreError
from ..media.image_sequence import is_sequence
from ..media.output.destination import writing
from ..media.photo.formats import photo_format
from ..one_file import restore_file, told
from ..options import Options
from ..progress.progress import Progress, Task, whole
from ..stages.networks import Networks
from .claim import claimed
from .expected import expected_frames
from .inputs import Found, Inputs
from .names import extension_for, name_results
from .results import Results

if TYPE_CHECKING:
    from ..cluster.cluster import Cluster

log = logging.getLogger(__name__)

#: Videos that a cluster restores at a time, at most.
_AT_ONCE = 16
#: Options that belong to one input.
_OF_ONE = ("tracks", "track_w", "person_w", "report", "report_json", "compare", "profile")


@dataclass(slots=True)
class Summary:
    """How a batch went."""

    done: int = 0  #: files restored now
    finished: int = 0  #: files that were finished before
    failed: list[str] = field(default_factory=list)  #: a line for each

    def __str__(self) -> str:
        parts = [f"{_files(self.done)} restored"]
        if self.finished:
            parts.append(f"{self.finished} finished before")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        return ", ".join(parts)


class Batch:
    """Restores files into a folder. What is finished there already, by whatever batch, is left alone."""

    def __init__(
        self,
        options: Options,
        out: Path,
        progress: Progress,
        *,
        restore: Callable[..., Any] = restore_file,
        cluster: Cluster | None = None,
    ) -> None:
        """
        Args:
            options: What is the same for every file.
            out: The folder of the results; it is made.
            progress: Counts and shows.
            restore: Restores one file, as :func:`vidrestore.one_file.restore_file`.
            cluster: Restores videos, some at a time.
        """
        self.out = out
        self.results = Results(options, out)
        self.summary = Summary()
        self._options = options
        self._progress = progress
        self._restore = restore
        self._cluster = cluster
        self._networks = Networks()
        self._inputs = set[tuple[int, int]]()  # devices and inodes: never written
        self._count = 0  # files that were given a name
        self._owned: dict[str, str] = {}  # names of results that this batch has given away

    def run(self, found: Inputs, *, more: bool = False) -> Summary:
        """Restore the files; those that fail are noted, and the others restored. ``more`` says that files may
        come later.

        Raises VidrestoreError for what concerns all of them.
        """
        files = self.without_results(found.files)
        if len(files) > 1 or more:
            self._refuse_options_of_one("belongs to one input; restore that by itself")
        elif files and photo_format(files[0].path):
            self._refuse_options_of_one(f"is for videos, and {files[0].path.name} is a photo; leave it out")
        self._make_folder()
        tasks = self.tasks(files)
        counts = {task: self._frames(task.file) for task in tasks if not self.results.is_finished(task)}
        self._progress.begin(
            files=None if more else len(files), frames=None if more else whole(list(counts.values()))
        )
        for name, problem in found.problems:
            self.summary.failed.append(line := _line(name, problem))
            self._progress.problem(line)
        self.add([replace(task, frames=counts.get(task)) for task in tasks])
        return self.summary

    def add(self, tasks: Sequence[Task]) -> None:
        """Restore more files."""
        self._inputs |= {identity for task in tasks if (identity := _identity(task.file))}
        for task in self._try_all(tasks):
            # Another batch may have finished it by now.
            if not self._try(task):
                self._end_failed(task, f"another run is writing {task.output}; wait for its end")

    def without_results(self, files: Sequence[Found]) -> list[Found]:
        """``files`` without those that batches have made in the folder: a pattern may match them."""
        results = {os.path.abspath(self.out / result.output) for result in self.results.ledger}
        kept = [file for file in files if os.path.abspath(file.path) not in results]
        if len(kept) < len(files):
            log.info("%s in %s are results and not restored again", _files(len(files) - len(kept)), self.out)
        return kept

    def tasks(self, files: Sequence[Found]) -> list[Task]:
        """The files with the paths of their results."""
        earlier = {
            result.output: result.input
            for result in self.results.ledger
            if os.path.lexists(self.out / result.output) and os.path.lexists(result.input)
        }
        container = self._options.container
        names = name_results(files, lambda path: extension_for(path, container), owned=earlier | self._owned)
        first = self._count + 1
        for file, name in zip(files, names, strict=True):
            if name.stem != file.path.stem:
                log.info("%s becomes %s: another file has its name", file.path, self.out / name)
            self._owned[name.as_posix()] = os.path.abspath(file.path)
        self._count += len(files)
        return [
            Task(file=file.path, output=self.out / name, number=number)
            for number, (file, name) in enumerate(zip(files, names, strict=True), first)
        ]

    def _try_all(self, tasks: Sequence[Task]) -> list[Task]:
        """Restore files; those that another batch is at. On a cluster, longest first and some at a time: what
        is left at the end is then short."""
        if self._cluster is None:
            return [task for task in tasks if not self._try(task)]
        photos = [task for task in tasks if photo_format(task.file)]  # share networks: one after another
        busy = [task for task in photos if not self._try(task)]
        films = sorted(set(tasks) - {*photos}, key=lambda task: -(task.frames or 0))
        with ThreadPoolExecutor(min(_AT_ONCE, self._cluster.crew.size), "film") as threads:
            try:
                done = list(threads.map(self._try, films))
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        return busy + [task for task, tried in zip(films, done, strict=True) if not tried]

    def _try(self, task: Task) -> bool:
        """Restore a file, unless it is finished or another batch is at it; whether that is not so."""
        try:
            with writing(task.output):
                task.output.parent.mkdir(parents=True, exist_ok=True)
            with claimed(task.output) as mine:
                if not mine:
                    return False
                self.results.ledger.read()
                self._check_input(task.file)
                changes = self.results.changes(task)
                if changes == "":
                    self.summary.finished += 1
                    self._progress.end_file(task, "finished", {})
                    return True
                self._check(task, changes)
                self._do(task)
        except BrokenPipeError:  # nobody reads what is printed
            raise
        except Exception as error:
            self._progress.check()
            if os.environ.get("VIDRESTORE_DEBUG"):
                raise
            is_known = isinstance(error, VidrestoreError | OSError)
            what = f"{type(error).__name__}: {error}"
            said = (
                str(error)
                if is_known
                else f"internal error ({what}); set VIDRESTORE_DEBUG=1 for the traceback"
            )
            self._end_failed(task, "; ".join((said, *getattr(error, "__notes__", ()))))
        return True

    def _check(self, task: Task, changes: str | None) -> None:
        out = task.output
        if (identity := _identity(out)) in self._inputs and identity != _identity(task.file):
            raise OutputError(f"{out} is one of the inputs; choose another folder")
        if changes and not self._options.overwrite:
            raise OutputError(f"{out} exists, and {changes}; give -y to replace it")

    def _check_input(self, path: Path) -> None:
        if is_sequence(path):
            return
        if not os.path.lexists(path):
            raise InputError(f"{path} does not exist; check the name of the input")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a file; pipes and devices are restored by themselves")

    def _frames(self, path: Path) -> int | None:
        try:
            self._check_input(path)
            return expected_frames(replace(self._options, input=path))
        except VidrestoreError:  # said when its turn comes
            return None

    def _do(self, task: Task) -> None:
        self._progress.begin_file(task)
        key, before = self.results.key_of(task.file), _version(task.file)

        def complete(path: Path) -> None:
            if _version(task.file) != before:
                raise InputError(f"{task.file} changed while it was read; run again when it is complete")
            self.results.note(task, key, path)

        options = replace(self.results.options, input=task.file, output=task.output)
        spread = {"cluster": self._cluster} if self._cluster else {}
        report = self._restore(
            options,
            self._progress.counter(task),
            networks=self._networks,
            complete=complete,
            mixed=True,
            **spread,
        )
        if report.warning:
            log.warning("%s", report.warning)
        log.info("%s", report)
        if options.profile:
            print(report.profiled, file=sys.stderr)
        self.summary.done += 1
        self._progress.end_file(task, "done", told(report))

    def _end_failed(self, task: Task, problem: str) -> None:
        line = _line(task.file, problem)
        self.summary.failed.append(line)
        self._progress.end_file(task, "failed", {"error": line})

    def _make_folder(self) -> None:
        if self.out.exists() and not self.out.is_dir():
            raise OutputError(f"{self.out} is a file; several inputs need a folder")
        with writing(self.out):
            self.out.mkdir(parents=True, exist_ok=True)

    def _refuse_options_of_one(self, why: str) -> None:
        for name in _OF_ONE:
            if getattr(self._options, name):
                raise UsageError(f"--{name.replace('_', '-')} {why}")


def _line(name: str | Path, problem: str) -> str:
    """What failed, and why, in one line."""
    return problem if str(name) in problem else f"{name}: {problem}"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _version(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
