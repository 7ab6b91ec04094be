"""What the page remembers, in SQLite beside the outputs: visitors, their files, and the queue of jobs."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import InputError, OutputError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS visitors (
    id TEXT PRIMARY KEY, secret TEXT UNIQUE NOT NULL, csrf TEXT NOT NULL, seen REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
    id TEXT PRIMARY KEY, visitor TEXT NOT NULL REFERENCES visitors ON DELETE CASCADE, name TEXT NOT NULL,
    path TEXT NOT NULL, opened INTEGER NOT NULL, size INTEGER NOT NULL, about TEXT NOT NULL,
    settings TEXT NOT NULL DEFAULT '{}', made REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, visitor TEXT NOT NULL REFERENCES visitors ON DELETE CASCADE,
    file TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, options TEXT NOT NULL,
    command TEXT NOT NULL, result TEXT NOT NULL, progress TEXT NOT NULL DEFAULT '{}',
    messages TEXT NOT NULL DEFAULT '[]', made REAL NOT NULL
);
"""
#: Columns that hold JSON.
_JSON = frozenset(("about", "settings", "options", "command", "progress", "messages"))

#: A row, by the names of its columns.
Row = dict[str, Any]

#: States of a job. ``pausing`` and ``cancelling`` last until its process has ended.
WAITING, RUNNING, PAUSING, PAUSED, CANCELLING, CANCELLED, DONE, FAILED = (
    *("waiting", "running", "pausing", "paused", "cancelling", "cancelled", "done", "failed"),
)
ACTIVE = (WAITING, RUNNING, PAUSING, CANCELLING)


class Database:
    """The tables. Every method may be called from any thread, and is one transaction. One that changes
    something raises OutputError if that cannot be written."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Open the database at ``path``, which is made if it does not exist. ``clock`` tells seconds.

        Raises InputError for a file that is no database, OutputError if it cannot be written.
        """
        self.clock = clock
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            with self._connection:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA foreign_keys = ON")
                self._connection.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            raise _unwritable(error) from None
        except sqlite3.DatabaseError:
            raise InputError(f"{path} is damaged; remove it, or choose another --folder") from None

    def close(self) -> None:
        """Close it."""
        with self._lock:
            self._connection.close()

    def add(self, table: str, row: Row) -> None:
        """Add a row."""
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        self._change(f"INSERT INTO {table} ({names}) VALUES ({marks})", _encoded(row).values())

    def one(self, table: str, **where: Any) -> Row | None:
        """The row with these values, if there is one."""
        return next(iter(self.all(table, **where)), None)

    def all(self, table: str, order: str = "rowid", **where: Any) -> list[Row]:
        """The rows with these values. A value may be a tuple, of which a row has one."""
        condition, values = _condition(where)
        with self._lock:
            found = self._connection.execute(f"SELECT * FROM {table}{condition} ORDER BY {order}", values)
            return [_decoded(row) for row in found.fetchall()]

    def update(self, table: str, changes: Row, **where: Any) -> int:
        """Change the rows with these values; returns how many they are."""
        assignments = ", ".join(f"{name} = ?" for name in changes)
        condition, values = _condition(where)
        return self._change(
            f"UPDATE {table} SET {assignments}{condition}", (*_encoded(changes).values(), *values)
        )

    def remove(self, table: str, **where: Any) -> None:
        """Remove the rows with these values."""
        condition, values = _condition(where)
        self._change(f"DELETE FROM {table}{condition}", values)

    def _change(self, statement: str, values: Iterable[Any]) -> int:
        try:
            with self._lock, self._connection:
                return self._connection.execute(statement, tuple(values)).rowcount
        except sqlite3.OperationalError as error:
            raise _unwritable(error) from None


def _unwritable(error: sqlite3.Error) -> OutputError:
    return OutputError(f"the server cannot write its queue ({error}); make room on its disk")


def _condition(where: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """An SQL condition; the names in it are this program's own, never a visitor's."""
    if not where:
        return "", ()
    parts, values = [], []
    for name, value in where.items():
        wanted = value if isinstance(value, tuple) else (value,)
        parts.append(f"{name} IN ({', '.join('?' * len(wanted))})")
        values += wanted
    return " WHERE " + " AND ".join(parts), tuple(values)


def _encoded(row: Row) -> Row:
    return {name: json.dumps(value) if name in _JSON else value for name, value in row.items()}


def _decoded(row: sqlite3.Row) -> Row:
    return {name: json.loads(row[name]) if name in _JSON else row[name] for name in row.keys()}  # noqa: SIM118
