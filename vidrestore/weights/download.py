"""Download one file over HTTP: resumable, verified, and atomic.

Bytes are written to ``<name>.part`` in the destination folder and hashed as they arrive; the complete file is
renamed to ``<name>``. An interrupted download keeps its partial file, and the next one continues from there
with a Range request (RFC 9110, section 14).

Of a file whose size is not known the server's word counts; one whose hash is not known cannot be verified:
what came is said, so that it can be compared with what others have.
"""

from __future__ import annotations

import hashlib
import http
import http.client
import logging
import os
import queue
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from .. import __version__
from ..errors import WeightsError
from ..runtime.lock import locked
from .entry import RemoteWeights

log = logging.getLogger(__name__)

_CHUNK = 1 << 18
_STALL = 30.0  # seconds
_RUN_AGAIN = "run the same command again to resume"

_NETWORK_ERRORS = (OSError, http.client.HTTPException)


def download(
    weights: RemoteWeights,
    destination: Path,
    *,
    timeout: float = 10.0,
    stall: float = _STALL,
    progress: bool = True,
) -> None:
    """Download ``weights`` to ``destination``, resuming an earlier partial download.

    Processes that download to the same destination take turns; the later ones find the file complete. A
    partial file that can be resumed is kept on failure, and on Ctrl-C.

    Args:
        weights: The registry entry.
        destination: Path of the file to write; its folder is created.
        timeout: Seconds until the server begins to answer, including name resolution.
        stall: Seconds without a byte after which the connection counts as broken.
        progress: Show a progress bar on stderr, if that is a terminal.

    Raises:
        WeightsError: The file cannot be downloaded, is not the expected one, or cannot be written.
    """
    partial = destination.with_name(destination.name + ".part")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with locked(destination.with_name(destination.name + ".lock")):
            if is_complete(destination, weights):
                return
            _complete(partial, weights, timeout, stall, progress)
            os.replace(partial, destination)
    except OSError as error:  # of the file system: network errors became WeightsError further in
        raise WeightsError(
            f"cannot write {weights.name} to {destination.parent}: {_reason(error)}; free disk space or "
            "grant write permission there, or set VIDRESTORE_CACHE to another folder"
        ) from error


def is_complete(path: Path, weights: RemoteWeights) -> bool:
    """Return whether ``path`` is a file of the right size, if that is known; its hash was checked when it was
    downloaded."""
    return path.is_file() and weights.size in (None, path.stat().st_size)


class _PartialFile:
    """The beginning of a file, hashed as it grows."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = 0
        self.digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            self._count(chunk)

    def append(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self._count(chunk)

    def start_over(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.size = 0
        self.digest = hashlib.sha256()

    def _count(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.digest.update(chunk)


def _complete(path: Path, weights: RemoteWeights, timeout: float, stall: float, progress: bool) -> None:
    """Download the rest of the partial file at ``path`` and verify it."""
    with open(path, "r+b" if path.exists() else "w+b") as file:
        part, size = _PartialFile(file), weights.size
        if size is not None and part.size > size:  # it cannot be the beginning of this file
            part.start_over()
        if size is None or part.size < size:
            response, start = _request(weights, part.size, timeout, stall)
            with response:
                length = None if response.length is None else start + response.length
                # Refuse a file of another size before it overwrites the partial file.
                if None not in (size, length) and length != size:
                    raise _failure(weights, f"the server's file has {length:,} bytes instead of {size:,}")
                size = length if size is None else size
                if start == 0:
                    part.start_over()
                _receive(response, part, weights, size, stall, progress)
    if size is not None and part.size < size:
        raise _failure(weights, f"the connection broke after {part.size:,} of {size:,} bytes", _RUN_AGAIN)
    found = part.digest.hexdigest()
    if (size is not None and part.size > size) or weights.sha256 not in (None, found):
        path.unlink()
        raise _failure(
            weights,
            f"the downloaded file is not the expected one (sha256 {(weights.sha256 or found)[:12]}...) and "
            "was deleted",
            f"try again, or {_manually(weights)}",
        )
    if weights.sha256 is None:
        log.warning(
            "%s could not be verified, since its SHA-256 is not known here: what came has %s bytes and the "
            "SHA-256 %s; compare it with what others have, and please report it, so that it can be pinned",
            weights.name,
            f"{part.size:,}",
            found,
        )


def _receive(
    response: http.client.HTTPResponse,
    part: _PartialFile,
    weights: RemoteWeights,
    size: int | None,
    stall: float,
    progress: bool,
) -> None:
    """Append the body to ``part`` as it arrives, until it ends or exceeds the expected ``size``."""
    bar = tqdm(
        desc=weights.name,
        total=size,
        initial=part.size,
        unit="B",
        unit_scale=True,
        disable=None if progress else True,
    )
    with bar:
        for chunk in _chunks(response, weights, stall):
            part.append(chunk)
            bar.update(len(chunk))
            if size is not None and part.size > size:
                break


def _request(
    weights: RemoteWeights, offset: int, timeout: float, stall: float
) -> tuple[http.client.HTTPResponse, int]:
    """Request the file from byte ``offset``. Return the response and the offset of its body: 0 if the server
    does not support ranges, or refuses or ignores this one."""
    headers = {"User-Agent": f"vidrestore/{__version__}", "Accept-Encoding": "identity"}
    ranged = headers | {"Range": f"bytes={offset}-"}
    try:
        if offset:
            try:
                response = _open(urllib.request.Request(weights.url, headers=ranged), timeout, stall)
            except urllib.error.HTTPError as error:
                if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    raise
            else:
                if response.status != http.HTTPStatus.PARTIAL_CONTENT:
                    return response, 0
                if re.match(rf"bytes {offset}-", response.headers.get("Content-Range", "")):
                    return response, offset
                response.close()
        return _open(urllib.request.Request(weights.url, headers=headers), timeout, stall), 0
    except urllib.error.HTTPError as error:
        problem = f"the server answered {error.code} ({error.reason})"
        raise _failure(weights, problem, f"try later, or {_manually(weights)}") from error
    except TimeoutError as error:
        raise _failure(weights, f"no answer within {timeout:g} s") from error
    except _NETWORK_ERRORS as error:
        raise _failure(weights, _reason(error)) from error


def _open(request: urllib.request.Request, timeout: float, stall: float) -> http.client.HTTPResponse:
    """Call ``urlopen`` with an overall limit of ``timeout`` seconds. The timeout of a socket excludes name
    resolution and restarts with every address and every redirection."""
    outcome: queue.SimpleQueue[http.client.HTTPResponse | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put(urllib.request.urlopen(request, timeout=stall))
        except Exception as error:
            outcome.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        result = outcome.get(timeout=timeout)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(result, Exception):
        raise result
    return result


def _chunks(response: http.client.HTTPResponse, weights: RemoteWeights, stall: float) -> Iterator[bytes]:
    """Yield the body as it arrives: ``read1`` returns buffered bytes at once, so a broken connection loses
    none."""
    try:
        while chunk := response.read1(_CHUNK):
            yield chunk
    except TimeoutError as error:
        raise _failure(weights, f"the server sent nothing for {stall:g} s", _RUN_AGAIN) from error
    except _NETWORK_ERRORS as error:
        raise _failure(weights, _reason(error), _RUN_AGAIN) from error


def _failure(weights: RemoteWeights, problem: str, advice: str | None = None) -> WeightsError:
    advice = advice or f"check the connection, or {_manually(weights)}"
    return WeightsError(f"cannot download {weights.name} from {weights.url}: {problem}; {advice}")


def _manually(weights: RemoteWeights) -> str:
    return f"download it manually and save it in the cache folder as {weights.filename}"


def _reason(error: BaseException) -> str:
    """Return the message of ``error`` or of the error that it wraps, without the error number."""
    cause = getattr(error, "reason", error)
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return text[0].lower() + text[1:]
