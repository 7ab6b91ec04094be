"""The process that looks into visitors' files for the page: a JSON object in, one out, a line each.

It is apart from the server, so that a file that makes a decoder fail or hang does no harm there, and so that
the server need not load PyTorch.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..errors import InputError, VidrestoreError
from ..media.untrusted import VARIABLE

#: Seconds that an answer may take; the first one loads the networks.
_PATIENCE = 120


class Worker:
    """Asks the process, which is started with the first request, and again after it has failed."""

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "vidrestore.ui.worker")) -> None:
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request, after those that were asked before. Raises InputError."""
        with self._lock:
            process = self._started()
            timer = threading.Timer(_PATIENCE, process.kill)
            timer.start()
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
            except (OSError, ValueError):
                self._end()
                raise InputError(
                    "this could not be shown: it took too long, or the file is damaged"
                ) from None
            finally:
                timer.cancel()
        if "error" in answer:
            raise InputError(answer["error"])
        return answer

    def end(self) -> None:
        """End the process."""
        with suppress(AttributeError):
            self._process.kill()  # type: ignore[union-attr]  # what it answers now nobody waits for
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, VARIABLE: "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            self._process = None


def _serve() -> None:
    from ..runtime.host import prepare_process

    prepare_process()
    from .looking import Looking

    looking = Looking()
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a library prints is no answer
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = looking(request)
        except VidrestoreError as error:
            answer = {"error": str(error).replace(request.get("path", "\0"), "the file")}
        except Exception as error:
            answer = {"error": f"this could not be shown ({type(error).__name__})"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
