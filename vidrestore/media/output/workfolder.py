"""The hidden folder beside OUT with a run's finished segments and saved states until OUT is complete."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from ...errors import OutputError
from ...runtime.lock import hold
from .destination import fitting_name, make_durable, writing
from .segments import SUFFIX, Segment, read_segment

log = logging.getLogger(__name__)

_LOCK = "lock"
_KEY = "run.json"


class WorkFolder:
    """Segments and saved states of one run.

    A context manager. Leaving it without an error removes the folder. Leaving it with an error keeps the
    folder if any segment is finished, and adds to the error how to resume.
    """

    def __init__(self, out: Path) -> None:
        self.path = out.with_name(fitting_name(f".{out.name}", ".vidrestore", out.parent))
        self.partial = self.path / fitting_name(
            "partial", out.suffix, out.parent
        )  #: OUT, until it is complete
        self._out = out
        #: Finished segments behind a gap, by the numbers of their first frames; known when a run has begun.
        self.later: dict[int, Segment] = {}
        self._lock: BinaryIO | None = None
        self._begun = False

    def __enter__(self) -> WorkFolder:
        """Raises OutputError if another run writes the same OUT, or the folder cannot be made."""
        with writing(self._out):
            self._lock = self._acquire_lock()
            if self._lock:
                self._remove_partial_files()
        if self._lock is None:
            raise OutputError(f"another run is writing {self._out}; wait for its end or choose another name")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        segments = self._kept() if kind is not None else []
        self._remove_partial_files()
        if not segments:
            shutil.rmtree(self.path, ignore_errors=True)
        elif error is not None and self._begun:
            frames = sum(segment.frames for segment in segments if segment)
            again = "run the same command again to resume"
            if getattr(error, "repeats", False):
                again = f"change what the error names and run again to resume, or remove {self.path}"
            error.add_note(f"{frames} frames are finished and kept: {again}")
        if self._lock:
            self._lock.close()
        if not segments and os.name == "nt":
            # Windows deletes neither an open file nor, if another run already holds the lock, that run's.
            with suppress(OSError):
                (self.path / _LOCK).unlink()
                self.path.rmdir()

    def begin(self, key: Mapping[str, str], *, resume: bool) -> list[Segment]:
        """Begin a run: return the finished segments of an earlier run with the same resume key, in order.
        Those behind a gap, which several machines leave, are :attr:`later`.

        Deletes what cannot be reused: everything if the key differs. Logs one line that says whether the run
        resumes.

        Args:
            key: Everything that the frames of OUT depend on, by name.
            resume: The user expects that there are segments (``--resume``).
        """
        found = self._finished()
        previous = self._read(_KEY) or {}
        changed = [name for name in {**key, **previous} if previous.get(name) != key.get(name)]
        if found and changed:
            log.warning("starting over: %s", difference(changed[0], previous, key))
        elif found:
            frames = sum(segment.frames for segment in found.values())
            log.info("resuming after %d finished frames (to start over, remove %s)", frames, self.path)
        elif resume:
            log.info("nothing to resume: starting from the beginning")
        self.later = {} if changed else found
        paths = {segment.path for segment in self.later.values()}
        stale = [*self.path.glob(f"*{SUFFIX}"), *(self.path.glob("*.json") if changed else ())]
        for path in stale:
            if path not in paths:
                path.unlink()
        self._write(_KEY, key)
        self._begun = True
        kept, frame = [], 0
        while segment := self.later.pop(frame, None):
            kept.append(segment)
            frame += segment.frames
        return kept

    def discard(self) -> bool:
        """Remove it without beginning a run. Returns False, and leaves it, if another run holds it."""
        if not self.path.is_dir():
            return True
        try:
            lock = self._acquire_lock()
        except OSError:  # it cannot be written to, or has just gone
            return not self.path.is_dir()
        if lock is None:
            return False
        with lock:
            shutil.rmtree(self.path, ignore_errors=True)
        return True

    @property
    def size(self) -> int:
        """Bytes of all files in it."""
        return sum(path.stat().st_size for path in self.path.iterdir())

    def segment_path(self, frame: int) -> Path:
        """The file for the segment that begins with a frame."""
        return self.path / f"{frame:010}{SUFFIX}"

    def save_state(self, frame: int, state: Mapping[str, Any]) -> None:
        """Save the state, as JSON, that a later run needs to resume at a frame."""
        self._write(f"{frame:010}.json", state)

    def load_state(self, frame: int) -> dict[str, Any] | None:
        """The state saved for a frame, if any."""
        return self._read(f"{frame:010}.json")

    def delete_state(self, frame: int) -> None:
        """Delete the state saved for a frame, if any."""
        (self.path / f"{frame:010}.json").unlink(missing_ok=True)

    def _acquire_lock(self) -> BinaryIO | None:
        while True:
            self.path.mkdir(exist_ok=True)
            # A run that is ending may remove the folder between these two lines.
            with suppress(FileNotFoundError):
                return hold(self.path / _LOCK)

    def _remove_partial_files(self) -> None:
        """Remove unfinished files."""
        for leftover in (self.partial, *self.path.glob("*.part")):
            leftover.unlink(missing_ok=True)

    def _kept(self) -> list[Segment | None]:
        """The finished segments; None for each that cannot be read now, and so may be whole."""
        kept: list[Segment | None] = []
        for path in self.path.glob(f"*{SUFFIX}"):
            try:
                segment = read_segment(path)
            except OutputError:
                kept.append(None)
            else:
                kept += [segment] if segment else []
        return kept

    def _finished(self) -> dict[int, Segment]:
        """The finished segments by the numbers of their first frames, ascending."""
        paths = sorted(path for path in self.path.glob(f"*{SUFFIX}") if path.stem.isdecimal())
        found = {int(path.stem): read_segment(path) for path in paths}
        return {first: segment for first, segment in found.items() if segment}

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        partial = (self.path / name).with_suffix(".part")
        with writing(self._out):
            partial.write_text(json.dumps(dict(content)), encoding="utf-8")
            make_durable(partial, self.path / name)


def difference(
    name: str,
    previous: Mapping[str, str],
    current: Mapping[str, str],
    *,
    what: str = "has changed since the last run",
    now: str = "now",
) -> str:
    """A message that the value ``name`` has changed, with the old and the new value if they are short."""
    values = [str(key.get(name, "not set")) for key in (previous, current)]
    detail = f" ({values[0]}, {now} {values[1]})" if max(map(len, values)) < 40 else ""
    return f"{name} {what}{detail}"
