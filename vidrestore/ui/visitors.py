"""Who visits the page: a secret in a cookie, and a folder of files that nobody else reaches."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import OutputError
from .database import ACTIVE, Database
from .leftovers import clean

#: Seconds after which a visitor who does not come back, and for whom nothing runs, is forgotten.
FORGOTTEN_AFTER = 7 * 24 * 3600
#: The same for one who has left nothing.
_EMPTY_AFTER = 3600
#: How many visitors there may be.
_MOST = 2000


@dataclass(frozen=True, slots=True)
class Visitor:
    """One browser, or one program."""

    id: str
    csrf: str  #: what requests that change something must bring, besides the cookie
    folder: Path


class Visitors:
    """All visitors."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def find(self, secret: str) -> Visitor | None:
        """The visitor whose cookie holds ``secret``. Notes that they were seen."""
        row = self._database.one("visitors", secret=_hashed(secret))
        if row is None:
            return None
        now = self._database.clock()
        if now - row["seen"] > 60:
            with suppress(OutputError):  # noted another time
                self._database.update("visitors", {"seen": now}, id=row["id"])
        return Visitor(row["id"], row["csrf"], self._folder / row["id"])

    def add(self) -> tuple[Visitor, str] | None:
        """A new visitor and the secret for their cookie; None if there are too many."""
        if len(self._database.all("visitors")) >= _MOST:
            self.forget_old()
            if len(self._database.all("visitors")) >= _MOST:
                return None
        name, secret = secrets.token_hex(16), secrets.token_urlsafe(32)
        visitor = Visitor(name, secrets.token_urlsafe(24), self._folder / name)
        visitor.folder.mkdir(mode=0o700, parents=True)
        # Only a hash is kept: who reads the database cannot take a visitor's place.
        row = {"id": visitor.id, "secret": _hashed(secret), "csrf": visitor.csrf}
        self._database.add("visitors", row | {"seen": self._database.clock()})
        return visitor, secret

    def forget(self, visitor: str) -> None:
        """Remove a visitor, all of their files, and what their jobs that did not end have left beside results
        in opened folders."""
        # The files first: on a disk that is full the queue cannot be written before.
        for job in self._database.all("jobs", visitor=visitor):
            clean(job)
        shutil.rmtree(self._folder / visitor, ignore_errors=True)
        self._database.remove("visitors", id=visitor)

    def remove_unfinished(self) -> None:
        """Remove what a server that was killed has left of uploads, while none arrive."""
        known = {row["id"] for row in self._database.all("files")}
        known |= {f"job-{row['id']}" for row in self._database.all("jobs")}
        for folder in self._folder.glob("*/*"):
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def forget_old(self, *, at_end: bool = False) -> None:
        """Forget who has not come back for long, and ``at_end`` of the server everyone who has no job; and
        remove folders of nobody."""
        now = self._database.clock()
        for row in self._database.all("visitors"):
            jobs = self._database.all("jobs", visitor=row["id"])
            if any(job["state"] in ACTIVE for job in jobs):
                continue
            left = jobs or self._database.all("files", visitor=row["id"])
            away = now - row["seen"]
            if away > (FORGOTTEN_AFTER if left else _EMPTY_AFTER) or (at_end and not jobs):
                self.forget(row["id"])
        known = {row["id"] for row in self._database.all("visitors")}
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
