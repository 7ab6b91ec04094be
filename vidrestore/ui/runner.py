"""Runs the jobs of the queue, one at a time, each in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from ..errors import OutputError
from ..media.untrusted import VARIABLE
from .database import (
    CANCELLED,
    CANCELLING,
    DONE,
    FAILED,
    PAUSED,
    PAUSING,
    RUNNING,
    WAITING,
    Database,
    Row,
)
from .jobs import clean
from .names import without_folders

log = logging.getLogger(__name__)

#: Seconds that a process has to end by itself.
_PATIENCE = 60
#: Messages of a job that are kept.
_MESSAGES = 30
#: What a run says whose output an earlier one, of a server that was killed, still holds; and how often and
#: after how many seconds it is tried again.
_HELD, _TRIES, _PAUSE = "another run is writing", 20, 3.0

#: Starts a process with a command and the file for its messages.
Start = Callable[[list[str], IO[bytes]], "subprocess.Popen[str]"]


def start_process(command: list[str], errors: IO[bytes]) -> subprocess.Popen[str]:
    """Start a command of this program, whose inputs come from strangers."""
    return subprocess.Popen(
        command,
        env={**os.environ, VARIABLE: "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        # Ctrl-C in the server's terminal ends the server, which then ends this.
        start_new_session=True,
    )


class Runner:
    """A thread that takes job after job. Jobs survive it: one that was running when the server ended goes on
    when it starts again."""

    def __init__(self, database: Database, folder: Path, *, start: Start = start_process) -> None:
        """``folder`` is where messages of processes are kept meanwhile."""
        self._database = database
        self._errors = folder / "messages.txt"
        self._start = start
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._job: str | None = None  # the one that runs
        self._lock = threading.Lock()
        self._turns: dict[str, int] = {}  # when a visitor had their last turn
        self._thread = threading.Thread(target=self._run_all, name="queue", daemon=True)

    def begin(self) -> None:
        """Begin with what is waiting, and what was running when the server ended."""
        for state, then in ((RUNNING, WAITING), (PAUSING, PAUSED), (CANCELLING, CANCELLED)):
            for job in self._database.all("jobs", state=state):
                self._database.update("jobs", {"state": then}, id=job["id"])
                if then == CANCELLED:
                    clean(job)
        self._thread.start()

    def end(self) -> None:
        """Stop; the job that runs waits for the next beginning."""
        self._ending.set()
        self._wake.set()
        with self._lock:
            if self._process is not None:
                _end(self._process)
        self._thread.join(_PATIENCE + 10)

    def wake(self) -> None:
        """Look into the queue: something is waiting."""
        self._wake.set()

    def stop(self, job: str, *, keep: bool) -> bool:
        """Pause a job, or cancel it if what it has finished is not to be kept. Returns whether it was not at
        its end."""
        then, now = (PAUSED, PAUSING) if keep else (CANCELLED, CANCELLING)
        idle = (WAITING,) if keep else (WAITING, PAUSED)
        with self._lock:
            if self._database.update("jobs", {"state": then}, id=job, state=idle):
                if not keep and (row := self._database.one("jobs", id=job)):
                    clean(row)
                return True
            if not self._database.update("jobs", {"state": now}, id=job, state=(RUNNING, PAUSING)):
                return False
            if self._job == job and self._process is not None:
                _end(self._process)
            return True

    def _run_all(self) -> None:
        while not self._ending.is_set():
            self._wake.clear()
            job = self._next()
            if job is None:
                self._wake.wait()
                continue
            try:
                self._run(job)
            except OutputError as error:  # before it began
                log.warning("%s", error)
                self._ending.wait(_PAUSE)
            except Exception as error:
                log.exception("the job %s could not be run", job["id"])
                self._finish(job, FAILED, {"error": f"it could not be run ({type(error).__name__})"})

    def _next(self) -> Row | None:
        """The job whose turn it is: visitors take turns, and what is quick and awaited comes first."""
        waiting = self._database.all("jobs", state=WAITING)
        return min(
            waiting,
            key=lambda job: (job["kind"] != "analyze", self._turns.get(job["visitor"], 0), job["made"]),
            default=None,
        )

    def _run(self, job: Row) -> None:
        self._turns[job["visitor"]] = 1 + max(self._turns.values(), default=0)
        existed = Path(job["result"]).exists()
        told, code = self._run_once(job)
        for _ in range(_TRIES):
            if _HELD not in str(told.get("error")) or self._ending.wait(_PAUSE):
                break
            told, code = self._run_once(job)
        row = self._database.one("jobs", id=job["id"])
        if row is None:  # the visitor has gone
            clean({**job, "state": CANCELLED})
            return
        # Asked to end, it may have been at its report: what it was to make is there.
        stopped = row["state"] in (PAUSING, CANCELLING) or self._ending.is_set()
        made = stopped and not existed and Path(job["result"]).exists()
        if code == 0 or (code is not None and made):
            self._finish(job, DONE, {**told, "code": 0})
        elif row["state"] == PAUSING:
            self._note(job, {"state": PAUSED})
        elif row["state"] == CANCELLING:
            clean(job)
            self._note(job, {"state": CANCELLED})
        elif self._ending.is_set():
            self._note(job, {"state": WAITING})
        elif code is not None:
            self._finish(job, FAILED, told)

    def _run_once(self, job: Row) -> tuple[dict[str, Any], int | None]:
        """Run the process of a job. Returns what it told last, and its exit code; None if the job was stopped
        before."""
        told: dict[str, Any] = {}
        with self._errors.open("w+b") as errors:
            with self._lock:
                states = (WAITING, RUNNING)
                if self._ending.is_set() or not self._database.update(
                    "jobs", {"state": RUNNING}, id=job["id"], state=states
                ):
                    return told, None
                process = self._process = self._start(job["command"], errors)
                self._job = job["id"]
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    self._hear(job, line, told)
                code = _ended(process)
            finally:
                with self._lock:
                    self._process, self._job = None, None
            if code and "error" not in told:
                errors.seek(0)
                last = errors.read()[-4000:].decode("utf-8", "replace").strip().splitlines()[-1:]
                told["error"] = last[0].removeprefix("vidrestore: error: ") if last else "it ended early"
        return told, code

    def _hear(self, job: Row, line: str, told: dict[str, Any]) -> None:
        """Note a line of progress (docs/progress.schema.json)."""
        with suppress(ValueError, OutputError):
            event = json.loads(line)
            kind = event.pop("event", None)
            kept = {name: value for name, value in event.items() if name not in ("file", "output", "number")}
            if kind == "message":
                if kept["level"] in ("info", "warning", "error"):
                    messages = [*told.get("messages", []), [kept["level"], kept["text"]]][-_MESSAGES:]
                    told["messages"] = messages
                    self._database.update(
                        "jobs", {"messages": without_folders(messages, job["command"])}, id=job["id"]
                    )
            elif kind in ("progress", "done", "failed"):
                told.update(kept)
                shown = {name: value for name, value in told.items() if name != "messages"}
                self._database.update(
                    "jobs", {"progress": without_folders(shown, job["command"])}, id=job["id"]
                )

    def _finish(self, job: Row, state: str, told: dict[str, Any]) -> None:
        progress = {name: value for name, value in told.items() if name != "messages"}
        self._note(job, {"state": state, "progress": without_folders(progress, job["command"])})

    def _note(self, job: Row, changes: Row) -> None:
        """Note what has become of a job, as soon as the disk has room for that."""
        said = False
        while True:
            try:
                self._database.update("jobs", changes, id=job["id"])
                return
            except OutputError as error:
                if not said:
                    log.warning("%s", error)
                said = True
            if self._ending.wait(_PAUSE):
                return


def _end(process: subprocess.Popen[str]) -> None:
    """Ask a process to end, and kill it if it does not: a thread that hangs in a decoder keeps it from
    that."""
    process.terminate()
    timer = threading.Timer(_PATIENCE, process.kill)
    timer.daemon = True
    timer.start()


def _ended(process: subprocess.Popen[str]) -> int:
    try:
        return process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
