"""An HTTP server on this machine that fails in the ways that real servers do."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = random.Random(0).randbytes(3_000_000)
HALF = len(CONTENT) // 2


class FaultyServer(ThreadingHTTPServer):
    """Serves ``CONTENT`` with the fault that ``fault`` names; records requested ranges and sent bytes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fault = "none"
        self.ranges: list[str | None] = []
        self.sent: list[int] = []
        self.closing = threading.Event()
        #: For the fault "interrupts": whether the client has something to lose yet.
        self.received: Callable[[], bool] = lambda: True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/weights.pth"


class _Handler(BaseHTTPRequestHandler):
    server: FaultyServer

    def do_GET(self) -> None:
        fault = self.server.fault
        requested = self.headers.get("Range")
        self.server.ranges.append(requested)
        if fault == "silent":
            self.server.closing.wait(20)
            return
        if fault == "missing":
            self.send_error(404)
            return
        if requested and fault == "refuses ranges":
            self.send_error(416)
            return
        body, start = CONTENT, 0
        if fault == "other content":
            body = bytes(len(CONTENT))
        elif fault == "shorter":
            body = CONTENT[:-1]
        elif fault == "longer, unknown length":
            body = CONTENT + b"more"
        if requested and fault != "ignores ranges":
            start = int(requested.removeprefix("bytes=").removesuffix("-"))
            if fault == "other range":
                start -= 10
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        if "unknown length" not in fault:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end = HALF if fault in ("drops", "drops, unknown length", "stalls", "interrupts") else len(body)
        if fault == "slow":
            time.sleep(0.5)
        self.server.sent.append(end - start)
        try:
            self.wfile.write(body[start:end])
        except ConnectionError:  # the client hangs up when the body is too long
            return
        if fault == "interrupts":
            while not self.server.received() and not self.server.closing.wait(0.02):
                pass
            os.kill(os.getpid(), signal.SIGINT)
        if fault in ("stalls", "interrupts"):
            self.server.closing.wait(20)

    def log_message(self, *args: object) -> None:
        pass
