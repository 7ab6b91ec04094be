"""Files that visitors bring."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.page import fill
from vidrestore.errors import InputError
from vidrestore.ui.database import Database
from vidrestore.ui.uploads import RefusedError, Uploads


def inspect(path: Path) -> dict[str, Any]:
    if path.read_bytes().startswith(b"bad"):
        raise InputError("it is bad")
    return {"kind": "video", "suffix": ".mkv"}


def uploads(database: Database, most: int = 1000) -> Uploads:
    return Uploads(database, most, inspect=inspect)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def take(taker: Uploads, visitor, *parts: bytes, name: str = "a.mp4", length: int | None = None) -> dict:
    return asyncio.run(taker.take(visitor, name, length, chunks(*parts)))


def test_a_file_is_written_under_a_name_of_the_servers_own(database, visitor):
    row = take(uploads(database), visitor, b"one", b"two", name="../../../evil.sh")
    path = Path(row["path"])
    assert path.read_bytes() == b"onetwo"
    assert path == visitor.folder / row["id"] / "video.mkv"
    assert (row["name"], row["size"]) == ("evil.sh", 6)
    assert database.one("files", id=row["id"])["name"] == "evil.sh"


@pytest.mark.parametrize(
    ("parts", "length", "status"),
    [
        ([b"x"], 10**10, 413),  # what it says of itself
        ([b"x" * 600, b"x" * 600], None, 413),  # what it says nothing of
        ([b"x" * 600, b"x" * 600], 5, 413),  # what it says less of
        ([], 0, 422),
        ([b"bad"], 3, 422),
    ],
)
def test_what_is_refused_leaves_nothing(database, visitor, parts, length, status):
    with pytest.raises(RefusedError) as caught:
        take(uploads(database), visitor, *parts, length=length)
    assert caught.value.status == status
    assert list(visitor.folder.iterdir()) == []
    assert database.all("files") == []


def test_files_count_together(database, visitor):
    taker = uploads(database)
    take(taker, visitor, b"x" * 600)
    with pytest.raises(RefusedError, match="together"):
        take(taker, visitor, b"x" * 600)
    take(taker, visitor, b"x" * 300)


def test_files_that_arrive_at_the_same_time_count_together(database, visitor):
    taker = uploads(database)

    async def together() -> list[Any]:
        return await asyncio.gather(
            *(taker.take(visitor, "a", None, chunks(b"x" * 400)) for _ in range(3)), return_exceptions=True
        )

    found = asyncio.run(together())
    taken = [each for each in found if isinstance(each, dict)]
    refused = [each for each in found if isinstance(each, RefusedError)]
    assert len(taken) + len(refused) == 3
    assert taken
    assert {each.status for each in refused} == {413}
    assert sum(row["size"] for row in database.all("files")) == 400 * len(taken)


def test_only_so_many_arrive_at_a_time(database, visitor):
    taker = uploads(database, 10**6)
    gate = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        await gate.wait()
        yield b"x"

    async def many() -> list[Any]:
        tasks = [asyncio.create_task(taker.take(visitor, "a", None, slow())) for _ in range(6)]
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asyncio.run(many())
    assert [each.status for each in found if isinstance(each, RefusedError)] == [429, 429]


def test_a_full_disk_is_said_before(database, visitor, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=100))
    with pytest.raises(RefusedError, match="full") as caught:
        take(uploads(database), visitor, b"x", length=1)
    assert caught.value.status == 507


def test_there_may_be_only_so_many_files(database, visitor, monkeypatch):
    monkeypatch.setattr("vidrestore.ui.uploads._MOST_FILES", 1)
    taker = uploads(database)
    take(taker, visitor, b"x")
    with pytest.raises(RefusedError, match="remove some"):
        take(taker, visitor, b"x")


def test_a_file_in_place_stays_where_it_is(database, visitor, tmp_path):
    film = tmp_path / "film.mkv"
    film.write_bytes(b"x" * 5000)  # more than may be uploaded
    taker = uploads(database)
    row = taker.open_in_place(visitor, film)
    assert taker.open_in_place(visitor, film)["id"] == row["id"], "a second time it is the same one"
    assert (row["path"], row["name"], row["opened"]) == (str(film), "film.mkv", 1)
    taker.remove(visitor, row)
    assert film.exists()
    assert database.all("files") == []


def test_what_is_removed_is_gone(database, visitor):
    taker = uploads(database)
    row = take(taker, visitor, b"x")
    taker.remove(visitor, row)
    assert list(visitor.folder.iterdir()) == []


@pytest.mark.parametrize("full", ["disk", "queue"])
def test_a_disk_that_becomes_full_leaves_nothing(database, visitor, full):
    async def body() -> AsyncIterator[bytes]:
        yield b"film"
        if full == "disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        fill(database)

    about = {"kind": "video", "suffix": ".mkv", "details": "x" * 100_000}
    taker = Uploads(database, 1000, inspect=lambda path: about)
    with pytest.raises(RefusedError, match="cannot write to its disk, which may be full") as caught:
        asyncio.run(taker.take(visitor, "a.mp4", None, body()))
    assert caught.value.status == 507
    assert list(visitor.folder.iterdir()) == []


def test_who_brings_a_file_for_hours_is_here(database, visitor, monkeypatch):
    """A program that sends one large file slowly is not forgotten meanwhile."""
    monkeypatch.setattr("vidrestore.ui.uploads._OFTEN", 1)
    begun, passed = database.clock(), 0.0
    monkeypatch.setattr(database, "clock", lambda: begun + passed)

    async def slowly() -> AsyncIterator[bytes]:
        nonlocal passed
        for _ in range(5):
            passed += 3000
            yield b"part"
            seen = database.one("visitors", id=visitor.id)["seen"]
            assert begun + passed - seen <= 3000

    asyncio.run(uploads(database).take(visitor, "a.mp4", None, slowly()))


def test_limits_are_looked_at_again_and_again(database, visitor):
    large = b"x" * (2 << 20)
    with pytest.raises(RefusedError):
        take(uploads(database, 5 << 20), visitor, large, large, large, large)
