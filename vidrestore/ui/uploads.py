"""Files that visitors bring: written as they arrive, within a limit, then looked into."""

from __future__ import annotations

import secrets
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from ..errors import InputError, OutputError, VidrestoreError
from .database import Database, Row
from .inspection import inspect_upload
from .names import shown_name
from .visitors import Visitor

#: Files of one visitor at a time, and uploads of one visitor at the same time.
_MOST_FILES, _MOST_AT_ONCE = 200, 4
#: Bytes of the disk that uploads leave free.
_LEFT_FREE = 1 << 30
#: Seconds of an upload after which its visitor is noted as being here: others are forgotten in the end.
_SEEN_EVERY = 60.0
#: Bytes that arrive of a file from one look at the limits to the next.
_OFTEN = 1 << 20


class RefusedError(VidrestoreError):
    """What a visitor asks for is not done; ``status`` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Uploads:
    """Takes the files of all visitors."""

    def __init__(
        self,
        database: Database,
        most_bytes: int,
        *,
        inspect: Callable[[Path], dict[str, Any]] = inspect_upload,
    ) -> None:
        """``most_bytes``: what the uploads of one visitor may take together. ``inspect`` says what a file
        is."""
        self._database = database
        self._most = most_bytes
        self._inspect = inspect
        #: Bytes that have arrived of each file that is not complete yet, by visitor and file.
        self._arriving: defaultdict[str, dict[str, int]] = defaultdict(dict)

    async def take(self, visitor: Visitor, name: str, length: int | None, body: AsyncIterator[bytes]) -> Row:
        """Write a file as it arrives and say what it is. ``length`` is what the request says of its size.

        Raises RefusedError; nothing of the file is left then.
        """
        files = self._database.all("files", visitor=visitor.id)
        if len(files) >= _MOST_FILES:
            raise RefusedError(413, f"there are {_MOST_FILES} files already; remove some first")
        arriving = self._arriving[visitor.id]
        if len(arriving) >= _MOST_AT_ONCE:
            raise RefusedError(429, f"{_MOST_AT_ONCE} files arrive at a time; wait for one of them")
        self._check(visitor, length or 0)
        identity = secrets.token_hex(8)
        folder = visitor.folder / identity
        arriving[identity] = due = 0
        seen = self._database.clock()
        try:
            folder.mkdir(mode=0o700)
            path = folder / "upload"
            with path.open("xb") as file:
                async for chunk in body:
                    arriving[identity] += len(chunk)
                    if arriving[identity] >= due:
                        self._check(visitor, 0)
                        if self._database.clock() - seen > _SEEN_EVERY:
                            seen = self._database.clock()
                            self._database.update("visitors", {"seen": seen}, id=visitor.id)
                        due = arriving[identity] + _OFTEN
                    file.write(chunk)
            self._check(visitor, 0)
            if not path.stat().st_size:
                raise RefusedError(422, "the file is empty")
            about = await run_in_threadpool(self.look, path)
            path = path.rename(path.with_name(f"{about['kind']}{about['suffix']}"))
            row = self._row(visitor, identity, name, path, about)
            self._database.add("files", row)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OutputError | OSError):
                raise RefusedError(507, "the server cannot write to its disk, which may be full") from None
            raise
        finally:
            del arriving[identity]
        return row

    def open_in_place(self, visitor: Visitor, path: Path) -> Row:
        """Note a file of an opened folder, which stays where it is. Raises RefusedError."""
        known = self._database.one("files", visitor=visitor.id, path=str(path), opened=1)
        if known is not None:
            return known
        about = self.look(path)
        row = self._row(visitor, secrets.token_hex(8), path.name, path, about) | {"opened": 1}
        self._database.add("files", row)
        return row

    def remove(self, visitor: Visitor, file: Row) -> None:
        """Remove what is kept of a file; one in an opened folder stays there."""
        # The files first: on a disk that is full the queue cannot be written before.
        shutil.rmtree(visitor.folder / file["id"], ignore_errors=True)
        self._database.remove("files", id=file["id"])

    def look(self, path: Path) -> dict[str, Any]:
        """What the file at ``path`` is. Raises RefusedError."""
        try:
            return self._inspect(path)
        except InputError as error:
            raise RefusedError(422, f"this file is not taken: {error}") from None

    def _row(self, visitor: Visitor, identity: str, name: str, path: Path, about: dict[str, Any]) -> Row:
        return {
            "id": identity,
            "visitor": visitor.id,
            "name": shown_name(name),
            "path": str(path),
            "opened": 0,
            "size": path.stat().st_size,
            "about": about,
            "settings": {},
            "made": self._database.clock(),
        }

    def _check(self, visitor: Visitor, more: int) -> None:
        """Raise RefusedError if ``more`` bytes are too many."""
        kept = sum(file["size"] for file in self._database.all("files", visitor=visitor.id, opened=0))
        if kept + sum(self._arriving[visitor.id].values()) + more > self._most:
            raise RefusedError(
                413,
                f"uploads may take {self._most / 1e9:.3g} GB together; remove some first",
            )
        if shutil.disk_usage(visitor.folder).free < more + _LEFT_FREE:
            raise RefusedError(507, "the disk of the server is full")
