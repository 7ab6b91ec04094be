"""Downloads from a real server on this machine that misbehaves in every way that servers do."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vidrestore.errors import WeightsError
from vidrestore.weights import REGISTRY, Weights, fetch, locate
from vidrestore.weights.download import download

CONTENT = random.Random(0).randbytes(3_000_000)
HALF = len(CONTENT) // 2


class Server(ThreadingHTTPServer):
    """Serves CONTENT in the manner its ``manner`` names, and remembers what was asked and sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.manner = "good"
        self.ranges: list[str | None] = []
        self.sent: list[int] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/weights.pth"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        manner = self.server.manner
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if manner == "mute":
            self.server.closing.wait(20)
            return
        if manner == "missing":
            self.send_error(404)
            return
        if asked and manner == "refuses ranges":
            self.send_error(416)
            return
        body, start = CONTENT, 0
        if manner == "other content":
            body = bytes(len(CONTENT))
        elif manner == "shorter":
            body = CONTENT[:-1]
        elif manner == "longer, length unsaid":
            body = CONTENT + b"more"
        if asked and manner != "ignores ranges":
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if manner == "other range":
                start -= 10
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        if "length unsaid" not in manner:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        upto = HALF if manner in ("drops", "drops, length unsaid", "stalls", "interrupts") else len(body)
        if manner == "slow":
            time.sleep(0.5)
        self.server.sent.append(upto - start)
        try:
            self.wfile.write(body[start:upto])
        except ConnectionError:  # the client of a body that is too long hangs up
            return
        if manner == "interrupts":
            time.sleep(0.3)  # for the client to take what was sent
            os.kill(os.getpid(), signal.SIGINT)
        if manner in ("stalls", "interrupts"):
            self.server.closing.wait(20)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.closing.set()
        server.shutdown()


@pytest.fixture
def weights(server: Server) -> Weights:
    return Weights(
        name="test",
        about="",
        filename="weights.pth",
        licence="",
        licence_url="",
        url=server.url,
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "weights.pth"


def part_of(place: Path) -> Path:
    return place.with_name(place.name + ".part")


def test_good(server: Server, weights: Weights, place: Path) -> None:
    download(weights, place)
    assert place.read_bytes() == CONTENT
    assert not part_of(place).exists()
    assert server.ranges == [None]


@pytest.mark.parametrize("manner", ["drops", "drops, length unsaid"])
def test_truncated_is_resumed(manner: str, server: Server, weights: Weights, place: Path) -> None:
    server.manner = manner
    with pytest.raises(WeightsError, match=r"run the same command again"):
        download(weights, place)
    assert not place.exists()
    assert part_of(place).read_bytes() == CONTENT[:HALF]

    server.manner = "good"
    download(weights, place)
    assert place.read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-"]
    assert server.sent == [HALF, len(CONTENT) - HALF]  # no byte twice


def test_ctrl_c_keeps_the_part(server: Server, weights: Weights, place: Path) -> None:
    server.manner = "interrupts"
    with pytest.raises(KeyboardInterrupt):
        download(weights, place)
    assert part_of(place).read_bytes() == CONTENT[:HALF]
    server.manner = "good"
    download(weights, place)
    assert server.sent == [HALF, len(CONTENT) - HALF]


@pytest.mark.parametrize(
    ("manner", "asked"),
    [
        ("ignores ranges", ["bytes=1000-"]),
        ("refuses ranges", ["bytes=1000-", None]),
        ("other range", ["bytes=1000-", None]),
    ],
)
def test_starts_over_where_ranges_fail(
    manner: str, asked: list[str | None], server: Server, weights: Weights, place: Path
) -> None:
    place.parent.mkdir()
    part_of(place).write_bytes(CONTENT[:1000])
    server.manner = manner
    download(weights, place)
    assert place.read_bytes() == CONTENT
    assert server.ranges == asked


@pytest.mark.parametrize(
    ("part", "asked"),
    [
        pytest.param(CONTENT + b"more", [None], id="too long: not a beginning of this file"),
        pytest.param(CONTENT, [], id="whole already: nothing to ask for"),
    ],
)
def test_part_as_long_as_the_file(
    part: bytes, asked: list[None], server: Server, weights: Weights, place: Path
) -> None:
    place.parent.mkdir()
    part_of(place).write_bytes(part)
    download(weights, place)
    assert place.read_bytes() == CONTENT
    assert server.ranges == asked


@pytest.mark.parametrize(
    ("manner", "message", "kept"),
    [
        ("other content", r"not the expected file .* was deleted; try again", False),
        ("longer, length unsaid", r"not the expected file .* was deleted", False),
        ("shorter", r"has 2,999,999 bytes instead of 3,000,000", True),
        ("missing", r"the server answered 404 \(Not Found\)", True),
        ("stalls", r"the server sent nothing for 0.3 s; run the same command again", True),
        ("mute", r"no answer within 0.5 s; check the connection", True),
    ],
)
def test_failure(
    manner: str, message: str, kept: bool, server: Server, weights: Weights, place: Path
) -> None:
    server.manner = manner
    began = time.monotonic()
    with pytest.raises(WeightsError, match=message) as caught:
        download(weights, place, timeout=0.5, stall=0.3 if manner == "stalls" else 30)
    assert time.monotonic() - began < 3
    assert weights.url in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not place.exists()
    assert part_of(place).exists() == kept


def test_part_outlives_a_file_of_another_size(server: Server, weights: Weights, place: Path) -> None:
    """A login page served in place of the file must not cost what was downloaded before."""
    place.parent.mkdir()
    part_of(place).write_bytes(CONTENT[:1000])
    server.manner = "shorter"
    with pytest.raises(WeightsError, match="instead of"):
        download(weights, place)
    assert part_of(place).read_bytes() == CONTENT[:1000]


def test_damaged_part_is_deleted(server: Server, weights: Weights, place: Path) -> None:
    place.parent.mkdir()
    part_of(place).write_bytes(bytes(1000))
    with pytest.raises(WeightsError, match="not the expected file"):
        download(weights, place)
    download(weights, place)
    assert server.ranges == ["bytes=1000-", None]


def test_connection_refused(weights: Weights, server: Server, place: Path) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(WeightsError, match=r"connection refused; check the connection, or download"):
        download(weights, place)


def test_cache_cannot_be_made(weights: Weights, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(WeightsError, match=r"cannot write test to .*cache: .*VIDRESTORE_CACHE"):
        download(weights, tmp_path / "cache" / "weights.pth")


def test_no_room(weights: Weights, place: Path) -> None:
    """A limit on the size of files stands in for a full disk: the write fails in the middle as well."""
    resource = pytest.importorskip("resource")  # not on Windows
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(WeightsError, match=r"cannot write test to .*: file too large; make room"):
            download(weights, place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    download(weights, place)  # from where it stopped
    assert place.read_bytes() == CONTENT


def test_two_at_once_take_turns(server: Server, weights: Weights, place: Path) -> None:
    server.manner = "slow"
    with ThreadPoolExecutor(3) as pool:
        for task in [pool.submit(download, weights, place) for _ in range(3)]:
            task.result()
    assert place.read_bytes() == CONTENT
    assert server.ranges == [None]


def test_fetch_downloads_once(
    server: Server, weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path))
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "0")
    monkeypatch.setitem(REGISTRY, "test", weights)
    assert locate("test") is None
    assert fetch("test") == fetch("test") == locate("test") == tmp_path / "weights.pth"
    assert server.ranges == [None]


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_offline_asks_nothing(
    how: str, server: Server, weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path))
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "1" if how == "environment" else "")
    monkeypatch.setitem(REGISTRY, "test", weights)
    with pytest.raises(WeightsError, match=r"switched off .*vidrestore weights get test"):
        fetch("test", offline=how == "argument")
    assert server.ranges == []
