"""Downloads from a local server that fails in the ways that real servers do."""

from __future__ import annotations

import dataclasses
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.faulty_server import CONTENT, HALF, FaultyServer
from tests.support.platforms import posix
from vidrestore.errors import WeightsError
from vidrestore.weights.download import download, is_complete
from vidrestore.weights.entry import RemoteWeights


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "weights.pth"


def partial_file(destination: Path) -> Path:
    return destination.with_name(destination.name + ".part")


def test_a_complete_download(server: FaultyServer, weights: RemoteWeights, destination: Path) -> None:
    download(weights, destination)
    assert destination.read_bytes() == CONTENT
    assert not partial_file(destination).exists()
    assert server.ranges == [None]


@pytest.mark.parametrize("fault", ["drops", "drops, unknown length"])
def test_a_truncated_download_is_resumed(
    fault: str, server: FaultyServer, weights: RemoteWeights, destination: Path
) -> None:
    server.fault = fault
    with pytest.raises(WeightsError, match=r"run the same command again to resume"):
        download(weights, destination)
    assert not destination.exists()
    assert partial_file(destination).read_bytes() == CONTENT[:HALF]

    server.fault = "none"
    download(weights, destination)
    assert destination.read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-"]
    assert server.sent == [HALF, len(CONTENT) - HALF]  # no byte is sent twice


@posix
def test_ctrl_c_keeps_the_partial_file(
    server: FaultyServer, weights: RemoteWeights, destination: Path
) -> None:
    partial = partial_file(destination)
    server.fault = "interrupts"
    server.received = lambda: partial.exists() and partial.stat().st_size > 0
    with pytest.raises(KeyboardInterrupt):
        download(weights, destination)
    kept = partial.read_bytes()
    assert CONTENT.startswith(kept)
    server.fault = "none"
    download(weights, destination)
    assert destination.read_bytes() == CONTENT
    assert server.sent == [HALF, len(CONTENT) - len(kept)]


@pytest.mark.parametrize(
    ("fault", "requested"),
    [
        ("ignores ranges", ["bytes=1000-"]),
        ("refuses ranges", ["bytes=1000-", None]),
        ("other range", ["bytes=1000-", None]),
    ],
)
def test_a_failed_range_request_restarts(
    fault: str, requested: list[str | None], server: FaultyServer, weights: RemoteWeights, destination: Path
) -> None:
    destination.parent.mkdir()
    partial_file(destination).write_bytes(CONTENT[:1000])
    server.fault = fault
    download(weights, destination)
    assert destination.read_bytes() == CONTENT
    assert server.ranges == requested


@pytest.mark.parametrize(
    ("part", "requested"),
    [
        pytest.param(CONTENT + b"more", [None], id="too long"),
        pytest.param(CONTENT, [], id="complete"),
    ],
)
def test_a_partial_file_of_full_size(
    part: bytes, requested: list[None], server: FaultyServer, weights: RemoteWeights, destination: Path
) -> None:
    destination.parent.mkdir()
    partial_file(destination).write_bytes(part)
    download(weights, destination)
    assert destination.read_bytes() == CONTENT
    assert server.ranges == requested


@pytest.mark.parametrize(
    ("fault", "message", "kept"),
    [
        ("other content", r"not the expected one .* was deleted; try again", False),
        ("longer, unknown length", r"not the expected one .* was deleted", False),
        ("shorter", r"has 2,999,999 bytes instead of 3,000,000", True),
        ("missing", r"the server answered 404 \(Not Found\)", True),
        ("stalls", r"the server sent nothing for 0.3 s; run the same command again", True),
        ("silent", r"no answer within 0.5 s; check the connection", True),
    ],
)
def test_a_failure_is_one_sentence(
    fault: str, message: str, kept: bool, server: FaultyServer, weights: RemoteWeights, destination: Path
) -> None:
    server.fault = fault
    with pytest.raises(WeightsError, match=message) as caught:
        download(
            weights,
            destination,
            timeout=0.5 if fault == "silent" else 60,
            stall=0.3 if fault == "stalls" else 60,
        )
    assert weights.url in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not destination.exists()
    assert partial_file(destination).exists() == kept


def test_a_file_of_another_size_keeps_the_partial_file(
    server: FaultyServer, weights: RemoteWeights, destination: Path
) -> None:
    """A login page served instead of the file must not discard what was downloaded before."""
    destination.parent.mkdir()
    partial_file(destination).write_bytes(CONTENT[:1000])
    server.fault = "shorter"
    with pytest.raises(WeightsError, match="instead of"):
        download(weights, destination)
    assert partial_file(destination).read_bytes() == CONTENT[:1000]


def test_a_damaged_partial_file_is_deleted(
    server: FaultyServer, weights: RemoteWeights, destination: Path
) -> None:
    destination.parent.mkdir()
    partial_file(destination).write_bytes(bytes(1000))
    with pytest.raises(WeightsError, match="not the expected one"):
        download(weights, destination)
    download(weights, destination)
    assert server.ranges == ["bytes=1000-", None]


def test_connection_refused(weights: RemoteWeights, server: FaultyServer, destination: Path) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(WeightsError, match=r"refused.*; check the connection, or download"):
        download(weights, destination)


def test_cache_folder_cannot_be_created(weights: RemoteWeights, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(WeightsError, match=r"cannot write test to .*cache: .*VIDRESTORE_CACHE"):
        download(weights, tmp_path / "cache" / "weights.pth")


def test_disk_full(weights: RemoteWeights, destination: Path) -> None:
    """A limit on file size simulates a full disk: the write fails midway."""
    resource = pytest.importorskip("resource")  # not on Windows
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(WeightsError, match=r"cannot write test to .*: file too large; free disk space"):
            download(weights, destination)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    download(weights, destination)  # resumes where it stopped
    assert destination.read_bytes() == CONTENT


def test_concurrent_downloads_take_turns(
    server: FaultyServer, weights: RemoteWeights, destination: Path
) -> None:
    server.fault = "slow"
    with ThreadPoolExecutor(3) as pool:
        for task in [pool.submit(download, weights, destination) for _ in range(3)]:
            task.result()
    assert destination.read_bytes() == CONTENT
    assert server.ranges == [None]


@pytest.mark.parametrize("fault", ["none", "longer, unknown length"])
def test_a_file_of_which_neither_size_nor_hash_is_known(
    fault: str, server: FaultyServer, weights: RemoteWeights, destination: Path, caplog
) -> None:
    """What came is said."""
    server.fault = fault
    content = CONTENT if fault == "none" else CONTENT + b"more"
    download(dataclasses.replace(weights, size=None, sha256=None), destination)
    assert destination.read_bytes() == content
    [warning] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert f"{len(content):,} bytes" in warning.message
    assert hashlib.sha256(content).hexdigest() in warning.message


@pytest.mark.parametrize(
    ("fault", "words"), [("drops", "the connection broke after"), ("other content", "not the expected one")]
)
def test_a_file_of_unknown_size_is_verified_by_its_hash(
    fault: str, words: str, server: FaultyServer, weights: RemoteWeights, destination: Path
) -> None:
    server.fault = fault
    unknown = dataclasses.replace(weights, size=None)
    with pytest.raises(WeightsError, match=words):
        download(unknown, destination)
    assert not destination.exists()
    server.fault = "none"
    download(unknown, destination)
    assert destination.read_bytes() == CONTENT
    assert is_complete(destination, unknown)
