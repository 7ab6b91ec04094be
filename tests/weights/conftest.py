"""A server of weights that can be made to fail, and the registry entry of its file."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faulty_server import CONTENT, FaultyServer
from vidrestore.weights.entry import RemoteWeights


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this test, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("VIDRESTORE_CACHE", str(folder))
    return folder


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.closing.set()
        server.shutdown()


@pytest.fixture
def weights(server: FaultyServer) -> RemoteWeights:
    return RemoteWeights(
        name="test",
        about="",
        filename="weights.pth",
        licence="",
        licence_url="",
        commercial=True,
        url=server.url,
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )
