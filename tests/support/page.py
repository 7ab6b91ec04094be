"""The page's server in a thread, and a client that sends requests as they are written."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import uvicorn

from vidrestore.faces.face import Face
from vidrestore.faces.recorded.recording import Origin, Recording
from vidrestore.faces.recorded.tracks_file import write_recording
from vidrestore.ui.api import Api
from vidrestore.ui.app import make_app
from vidrestore.ui.config import Config
from vidrestore.ui.database import Database

#: Requests wait so long for an answer, in seconds.
_PATIENCE = 120


class Client:
    """A visitor: keeps cookies and the token, and changes nothing of an address."""

    def __init__(self, port: int, *, join: bool = True) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.csrf = ""
        if join:
            self.csrf = self.get("/api/session")[1]["csrf"]

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any, dict[str, str]]:
        """A request with the visitor's cookies and token: status, content (JSON is read), headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        sent |= {"X-CSRF-Token": self.csrf} if method != "GET" else {}
        sent |= headers or {}
        if isinstance(body, dict):
            body = json.dumps(body)
        try:
            connection.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
            if body is not None and not isinstance(body, Iterator):
                body = body.encode() if isinstance(body, str) else body
                sent.setdefault("Content-Length", str(len(body)))
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders()
            with suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
                for chunk in body if isinstance(body, Iterator) else [body or b""]:
                    connection.send(chunk)
            answer = connection.getresponse()
            for value in answer.headers.get_all("Set-Cookie", []):
                name, _, rest = value.partition("=")
                self.cookies[name] = rest.partition(";")[0]
            data = answer.read()
            kind = answer.headers.get("Content-Type", "")
            found = json.loads(data) if kind == "application/json" else data
            return answer.status, found, {name.lower(): value for name, value in answer.headers.items()}
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> tuple[int, Any]:
        """Status and content."""
        return self.send("GET", path, **options)[:2]

    def post(self, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Status and content."""
        return self.send("POST", path, {} if body is None else body, **options)[:2]

    def upload(self, file: Path | bytes, name: str = "") -> tuple[int, Any]:
        """Send a file."""
        data = file if isinstance(file, bytes) else file.read_bytes()
        name = name or (file.name if isinstance(file, Path) else "a.mp4")
        return self.post(f"/api/files?name={quote(name, safe='')}", data)

    def wait(self, job: str, *states: str) -> dict[str, Any]:
        """The job when it is in one of these states."""
        for _ in range(1200):
            found = self.get(f"/api/jobs/{job}")[1]
            if found["state"] in states:
                return found
            time.sleep(0.1)
        raise AssertionError(f"the job stays {found['state']}")


class Server:
    """A running server."""

    def __init__(self, api: Api, port: int) -> None:
        self.api = api
        self.port = port

    def client(self, *, join: bool = True) -> Client:
        """A new visitor; one who does not ``join`` has neither cookie nor token."""
        return Client(self.port, join=join)


@contextmanager
def serving(folder: Path, *, parts: Mapping[str, Any] | None = None, **about: Any) -> Iterator[Server]:
    """Serve the page with what :class:`Config` is told by ``about``; ``parts`` as of ``make_app``."""
    app, api = make_app(Config(folder=folder, **about), **(parts or {}))
    server = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="error", server_header=False, timeout_graceful_shutdown=2
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield Server(api, server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()


def write_tracks(path: Path) -> Path:
    """Write a tracks file: track 1 of person 1 in frames 0 to 9, a tenth of a second each, and track 2 of
    person 2 in frames 5 to 7."""
    recording = Recording(
        Origin(name="a.mkv", width=100, height=80, time_base=Fraction(1, 10), begin=Fraction(0))
    )
    for pts in range(10):
        tracks = (1, 2) if 5 <= pts <= 7 else (1,)
        boxes = [np.array([10 * track, 10, 10 * track + 20, 30 + pts], np.float32) for track in tracks]
        shape = np.array([(5, 6), (15, 6), (10, 10), (6, 15), (14, 15)], np.float32)
        faces = [Face(track, box, shape + box[:2]) for track, box in zip(tracks, boxes, strict=True)]
        recording.add(pts, faces)
    recording.set_persons({1: 1, 2: 2})
    with path.open("w", encoding="utf-8") as file:
        write_recording(recording, file)
    return path


def fill(database: Database, *, full: bool = True) -> None:
    """Let ``database`` find its disk full when it needs more room, or no longer."""
    pages = database._connection.execute("PRAGMA page_count").fetchone()[0]
    database._connection.execute(f"PRAGMA max_page_count = {pages if full else 1 << 30}")
