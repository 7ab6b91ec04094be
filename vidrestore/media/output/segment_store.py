"""A store: a folder of complete segments that outlives the runs that made them, so that a later run encodes
only what has changed.

An entry is a file whose name is its key: a segment, or a text, which begins with a line that says what it is
of. Entries appear by a rename, and a run gets a segment as a file of its own, so that entries may be removed
at any time. If the store has a limit, the entries that were not used for longest are removed first.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import OutputError
from ...runtime.lock import locked
from .destination import make_durable, writing
from .segments import SUFFIX, Segment, is_sound, read_segment

log = logging.getLogger(__name__)

_LOCK = "lock"
#: Marks a folder as a store, and holds its limit.
_MARKER = "vidrestore-store.json"
_TEXT, _PARTIAL = ".text", ".part"
_VERSION = 1


@dataclass(slots=True)
class Group:
    """The entries of a store whose keys begin with the same word, up to the first hyphen."""

    about: str = "?"  #: what they are of, in words
    segments: int = 0
    size: int = 0  #: in bytes
    used: float = 0.0  #: when one was last used, in seconds since the epoch


@dataclass(slots=True)
class SegmentStore:
    """A store in ``folder``.

    Opened with ``create``, it is made if it does not exist. Raises OutputError if ``folder`` is something
    else.
    """

    folder: Path
    create: bool = False
    _used: set[str] = field(default_factory=set, init=False)  #: since this was opened
    _failed: bool = field(default=False, init=False)  #: nothing more is added, as that has failed once
    _overfull: bool = field(default=False, init=False)  #: what this run needs is more than the limit

    def __post_init__(self) -> None:
        with writing(self.folder):
            if not (self.folder / _MARKER).is_file():
                self._make()

    @property
    def limit(self) -> int | None:
        """Bytes that all entries together may take; None if any number."""
        with suppress(OSError, ValueError):
            return json.loads((self.folder / _MARKER).read_text(encoding="utf-8"))["limit"]
        return None

    def set_limit(self, limit: int | None) -> None:
        """Set :attr:`limit`, and remove what exceeds it. Raises OutputError."""
        with writing(self.folder), self._lock():
            self._mark(limit)
            self._shrink()

    def take(self, key: str, path: Path) -> Segment | None:
        """Put the segment ``key`` at ``path``. None if there is none, or it is damaged, or that fails."""
        entry, partial = self.folder / (key + SUFFIX), path.with_suffix(_PARTIAL)
        try:
            _link(entry, partial)
            if not is_sound(partial):
                log.warning("a segment in %s is damaged, and is restored again", self.folder)
                entry.unlink(missing_ok=True)
                return None
            os.replace(partial, path)
            self._use(entry)
        except OSError:
            return None
        finally:
            partial.unlink(missing_ok=True)
        return read_segment(path)

    def add(self, key: str, segment: Segment) -> None:
        """Keep ``segment`` as ``key``. If that fails, a warning is logged, and nothing more is added."""

        def place(entry: Path, partial: Path) -> None:
            _link(segment.path, partial)
            make_durable(partial, entry)

        self._add(key + SUFFIX, place)

    def read(self, key: str) -> str | None:
        """The text ``key``, if there is one."""
        entry = self.folder / (key + _TEXT)
        try:
            text = entry.read_text(encoding="utf-8")
            self._use(entry)
        except (OSError, ValueError):
            return None
        return text.partition("\n")[2]

    def write(self, key: str, text: str, *, about: str) -> None:
        """Keep ``text`` as ``key``, in the same way as :meth:`add`. ``about`` says what it is of."""

        def place(entry: Path, partial: Path) -> None:
            # Names of files may hold bytes that are no text.
            content = f"{' '.join(about.split())}\n{text}"
            partial.write_text(content, encoding="utf-8", errors="backslashreplace")
            make_durable(partial, entry)

        self._add(key + _TEXT, place)

    def groups(self) -> list[Group]:
        """What is in the store, the latest used first."""
        groups: dict[str, Group] = {}
        for entry in self._entries():
            group = groups.setdefault(entry.stem.partition("-")[0], Group())
            with suppress(OSError, ValueError):
                status = entry.stat()
                group.size += status.st_size
                group.used = max(group.used, status.st_mtime)
                group.segments += entry.suffix == SUFFIX
                if entry.suffix == _TEXT:
                    with entry.open(encoding="utf-8") as text:
                        group.about = text.readline().rstrip("\n")
        return sorted(groups.values(), key=lambda group: -group.used)

    def clear(self) -> None:
        """Remove all entries; the limit stays. Raises OutputError."""
        with writing(self.folder), self._lock():
            for entry in self._entries():
                entry.unlink(missing_ok=True)

    def _make(self) -> None:
        """Make an empty store, or raise OutputError."""
        if self.folder.is_dir():
            others = [path.name for path in self.folder.iterdir() if path.name != _LOCK]
            if others:
                raise OutputError(f"{self.folder} is not a store of segments, and is not empty; name another")
        if not self.create:
            raise OutputError(f"{self.folder} is not a store of segments; a run with --keep makes one")
        self.folder.mkdir(exist_ok=True)
        with self._lock():
            if not (self.folder / _MARKER).is_file():
                self._mark(None)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Wait until no other process changes the store; what one that was killed left half done goes."""
        with locked(self.folder / _LOCK):
            for leftover in self.folder.glob(f"*{_PARTIAL}"):
                leftover.unlink(missing_ok=True)
            yield

    def _add(self, name: str, place: Callable[[Path, Path], None]) -> None:
        """Add an entry, which ``place`` makes under a temporary name first."""
        if self._failed:
            return
        try:
            with self._lock():
                place(self.folder / name, self.folder / (name + _PARTIAL))
                self._use(self.folder / name)
                self._shrink()
        except OSError as error:
            self._failed = True
            log.warning("segments are not kept: %s cannot be written: %s", self.folder, error.strerror)

    def _mark(self, limit: int | None) -> None:
        partial = self.folder / (_MARKER + _PARTIAL)
        partial.write_text(json.dumps({"version": _VERSION, "limit": limit}), encoding="utf-8")
        make_durable(partial, self.folder / _MARKER)

    def _use(self, entry: Path) -> None:
        self._used.add(entry.name)
        with suppress(OSError):  # removed by another run in the meantime, or of a store that is only read
            os.utime(entry)

    def _entries(self) -> list[Path]:
        return [*self.folder.glob(f"*{SUFFIX}"), *self.folder.glob(f"*{_TEXT}")]

    def _shrink(self) -> None:
        """Remove the entries that were not used for longest, until the others are within the limit."""
        limit = self.limit
        if limit is None:
            return
        entries = sorted((entry.stat().st_mtime_ns, entry.stat().st_size, entry) for entry in self._entries())
        excess = sum(size for _, size, _ in entries) - limit
        for _, size, entry in entries:
            if excess <= 0:
                break
            entry.unlink(missing_ok=True)
            excess -= size
            if entry.name in self._used and not self._overfull:
                self._overfull = True
                log.warning("%s has no room for all segments of this run; raise its limit", self.folder)


def _link(source: Path, target: Path) -> None:
    """Make ``target`` the same file as ``source``, or a copy of it where that cannot be. Raises OSError."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
