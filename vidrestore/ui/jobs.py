"""Jobs: what a visitor wants done to a file, as a command line of this program in a queue."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..media.output.destination import partial_path
from ..media.output.workfolder import WorkFolder
from ..media.photo.formats import MOST_PIXELS as PHOTO_PIXELS
from ..media.photo.formats import SUFFIXES
from .config import MOST_PIXELS
from .database import ACTIVE, CANCELLED, FAILED, PAUSED, WAITING, Database, Row
from .fields import checked
from .leftovers import clean
from .names import result_name
from .people import write_settings
from .uploads import RefusedError
from .visitors import Visitor

#: Jobs of one visitor that wait or run, and jobs that are kept.
_MOST_ACTIVE, _MOST = 20, 500
#: What a video's container is called in the options, by the extension of the result.
_CONTAINERS = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv", "webm": ".webm"}


class Jobs:
    """Makes jobs, and removes them. Who runs them is :class:`.runner.Runner`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def analyze(self, visitor: Visitor, file: Row) -> Row:
        """Queue finding the faces of a video. Raises RefusedError."""
        if file["about"]["kind"] != "video":
            raise RefusedError(422, "the faces of a photo are found without a job")
        tracks = tracks_of(visitor, file)
        command = ["analyze", file["path"], "-o", str(tracks), "-y", "--progress", "json"]
        return self._queue(visitor, file, "analyze", {}, command, tracks, secrets.token_hex(8))

    def restore(self, visitor: Visitor, file: Row, options: Mapping[str, Any]) -> Row:
        """Queue restoring a file with what the visitor set for its persons, and ``options``.

        Raises RefusedError, and UsageError for options that cannot be set.
        """
        kind = file["about"]["kind"]
        given = checked(options, kind)
        factor = int(str(given.get("upscale", 1)))
        most = PHOTO_PIXELS if kind == "photo" else MOST_PIXELS
        if file["about"]["width"] * file["about"]["height"] * factor**2 > most:
            raise RefusedError(422, f"enlarged {factor} times it would be larger than this page makes")
        identity = secrets.token_hex(8)
        folder = visitor.folder / f"job-{identity}"
        result = self._result(file, given, folder)
        command = ["--config", str(folder / "options.yaml"), "--progress", "json"]
        tracks = tracks_of(visitor, file)
        if kind == "video":
            command += ["--report", str(folder / "report.html")]
            if tracks.exists():
                command += ["--tracks", str(folder / "tracks.json")]
        command += ["--", file["path"], str(result)]
        self._check_number(visitor)
        try:
            folder.mkdir(mode=0o700)
            # Texts only, and read back as texts: nothing in it is anything but the value of an option.
            (folder / "options.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
            if kind == "video" and tracks.exists():
                write_settings(tracks, file["settings"], folder / "tracks.json")
            return self._queue(visitor, file, "restore", given, command, result, identity)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def remove(self, visitor: Visitor, job: Row) -> None:
        """Remove a job that does not run, with its result unless that lies in an opened folder. Raises
        RefusedError."""
        if job["state"] in ACTIVE:
            raise RefusedError(409, "this job is not at its end; cancel it first")
        # The files first: on a disk that is full the queue cannot be written before.
        clean(job)
        shutil.rmtree(folder_of(visitor, job), ignore_errors=True)
        self._database.remove("jobs", id=job["id"])

    def again(self, job: Row) -> bool:
        """Queue a job again: one that was paused goes on. Returns whether it was not waiting or running.
        Raises RefusedError."""
        jobs = self._database.all("jobs", visitor=job["visitor"])
        if sum(other["state"] in ACTIVE for other in jobs) >= _MOST_ACTIVE:
            raise RefusedError(429, "there are too many jobs; wait for some")
        changes = {"state": WAITING, "made": self._database.clock(), "messages": []}
        again = (PAUSED, FAILED, CANCELLED)
        return bool(self._database.update("jobs", changes, id=job["id"], state=again))

    def _check_number(self, visitor: Visitor) -> None:
        jobs = self._database.all("jobs", visitor=visitor.id)
        if sum(job["state"] in ACTIVE for job in jobs) >= _MOST_ACTIVE or len(jobs) >= _MOST:
            raise RefusedError(429, "there are too many jobs; wait for some, or remove them")

    def _queue(
        self,
        visitor: Visitor,
        file: Row,
        kind: str,
        options: Mapping[str, Any],
        command: list[str],
        result: Path,
        identity: str,
    ) -> Row:
        self._check_number(visitor)
        row = {
            "id": identity,
            "visitor": visitor.id,
            "file": file["id"],
            "name": file["name"] if kind == "analyze" else result_name(file["name"], result.suffix),
            "kind": kind,
            "state": WAITING,
            "options": dict(options),
            "command": [sys.executable, "-m", "vidrestore", *command],
            "result": str(result),
            "progress": {},
            "messages": [],
            "made": self._database.clock(),
        }
        self._database.add("jobs", row)
        return row

    def _result(self, file: Row, given: Mapping[str, Any], folder: Path) -> Path:
        """Where the result is written: beside a file that is worked on in place, else in the job's folder."""
        about, named = file["about"], Path(file["name"]).suffix.lower()
        if about["kind"] == "photo":
            suffix = named if named in SUFFIXES else about["suffix"]
            suffix = suffix if suffix in SUFFIXES else ".png"
        elif given.get("container"):
            suffix = _CONTAINERS.get(str(given["container"]), ".mkv")
        else:
            suffix = named if named in _CONTAINERS.values() else ".mkv"
        if not file["opened"]:
            return folder / f"result{suffix}"
        source = Path(file["path"])
        waiting = {job["result"] for job in self._database.all("jobs")}
        number = 1
        while True:
            ending = "-restored" if number == 1 else f"-restored-{number}"
            path = source.with_name(f"{source.stem}{ending}{suffix}")
            begun = path, WorkFolder(path).path, partial_path(path)  # by whomever
            if not any(map(os.path.lexists, begun)) and str(path) not in waiting:
                return path
            number += 1


def folder_of(visitor: Visitor, job: Row) -> Path:
    """The folder of a job's own files."""
    return visitor.folder / f"job-{job['id']}"


def tracks_of(visitor: Visitor, file: Row) -> Path:
    """The tracks file of a video, which is there once its faces have been found."""
    folder = visitor.folder / file["id"]
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / "tracks.json"


def report_of(visitor: Visitor, job: Row) -> Path:
    """The report of a run, which is there once it is done."""
    return folder_of(visitor, job) / "report.html"
