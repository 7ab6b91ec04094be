"""The queue of the page over the end of its server, as processes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from tests.support.page import Client

SAMPLE = Path(__file__).parents[1] / "samples" / "portrait.mp4"


@contextmanager
def server(folder: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vidrestore", "ui", "--port", str(port), "--folder", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert f"http://127.0.0.1:{port}/" in process.stderr.readline()
        time.sleep(0.5)
        yield port, process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_goes_on_after_the_server_was_ended(tmp_path, how):
    with server(tmp_path) as (port, process):
        client = Client(port)
        film = client.upload(SAMPLE)[1]["id"]
        options = {"duration": "0.5", "model": "lite"}
        job = client.post("/api/jobs", {"file": film, "kind": "restore", "options": options})[1]["id"]
        client.wait(job, "running")
        process.send_signal(how)
        process.wait(100)
    with server(tmp_path) as (port, process):
        again = Client(port, join=False)
        again.cookies, again.csrf = client.cookies, client.csrf
        assert again.wait(job, "done")["progress"]["frames"] == 12
        data = again.get(f"/api/jobs/{job}/result")[1]
        (tmp_path / "restored.mp4").write_bytes(data)
        with av.open(str(tmp_path / "restored.mp4")) as result:
            assert sum(1 for _ in result.decode(video=0)) == 12
        process.send_signal(signal.SIGINT)
        assert process.wait(100) == 130
