"""Fetching one file over HTTP so that what appears in its place is whole and the right one.

Bytes go to a file beside the place, ``<name>.part``, and are hashed as they arrive; it takes the place by a
rename. A download that breaks leaves its part, and the next one goes on from there with a Range request
(RFC 9110, section 14).
"""

from __future__ import annotations

import hashlib
import http
import http.client
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
from .registry import Weights

_CHUNK = 1 << 18
_STALL = 30.0  # seconds
_RUN_AGAIN = "run the same command again to go on from there"

_NETWORK_ERRORS = (OSError, http.client.HTTPException)


def download(
    weights: Weights,
    place: Path,
    *,
    timeout: float = 10.0,
    stall: float = _STALL,
    progress: bool = True,
) -> None:
    """Download ``weights`` to ``place``, resuming what an earlier call left.

    ``timeout``: seconds until the server's answer begins, name lookup included. ``stall``: seconds without
    a byte after which the connection counts as broken. ``progress``: a bar on standard error, if that is a
    terminal. Two processes with one ``place`` take turns, and the second finds the work done.

    Raises ``WeightsError`` when the file cannot be had, is not the one expected, or cannot be written. A
    part that is worth resuming is kept, on Ctrl-C too.
    """
    part = place.with_name(place.name + ".part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with locked(place.with_name(place.name + ".lock")):
            if is_whole(place, weights):
                return
            _fill(part, weights, timeout, stall, progress)
            os.replace(part, place)
    except OSError as error:  # those of the network are told apart, and have their own words, further in
        raise WeightsError(
            f"cannot write {weights.name} to {place.parent}: {_reason(error)}; make room or give write "
            "permission there, or set VIDRESTORE_CACHE to another folder"
        ) from error


def is_whole(place: Path, weights: Weights) -> bool:
    """Whether ``place`` holds a file of the right size. Its hash was checked before it got there."""
    return place.is_file() and place.stat().st_size == weights.size


class _Part:
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


def _fill(path: Path, weights: Weights, timeout: float, stall: float, progress: bool) -> None:
    """Make the part at ``path`` whole and check it."""
    with open(path, "r+b" if path.exists() else "w+b") as file:
        part = _Part(file)
        if part.size > weights.size:  # not a beginning of this file
            part.start_over()
        if part.size < weights.size:
            response, start = _request(weights, part.size, timeout, stall)
            with response:
                # A file of another size is refused before it can take the place of what is here.
                if response.length is not None and start + response.length != weights.size:
                    found = f"{start + response.length:,} bytes instead of {weights.size:,}"
                    raise _failure(weights, f"the server's file has {found}")
                if start == 0:
                    part.start_over()
                _receive(response, part, weights, stall, progress)
    if part.size < weights.size:
        raise _failure(
            weights, f"the connection broke after {part.size:,} of {weights.size:,} bytes", _RUN_AGAIN
        )
    if part.size > weights.size or part.digest.hexdigest() != weights.sha256:
        path.unlink()
        raise _failure(
            weights,
            f"what arrived is not the expected file (sha256 {weights.sha256[:12]}...) and was deleted",
            f"try again, or {_by_hand(weights)}",
        )


def _receive(
    response: http.client.HTTPResponse, part: _Part, weights: Weights, stall: float, progress: bool
) -> None:
    """Append the body to ``part`` as it arrives, to its end or one chunk beyond the expected size."""
    bar = tqdm(
        desc=weights.name,
        total=weights.size,
        initial=part.size,
        unit="B",
        unit_scale=True,
        disable=None if progress else True,
    )
    with bar:
        for chunk in _chunks(response, weights, stall):
            part.append(chunk)
            bar.update(len(chunk))
            if part.size > weights.size:
                break


def _request(
    weights: Weights, have: int, timeout: float, stall: float
) -> tuple[http.client.HTTPResponse, int]:
    """Ask for the file from byte ``have`` on; the answer, and the byte that its body begins at: 0 where
    the server does not do ranges, or not this one."""
    headers = {"User-Agent": f"vidrestore/{__version__}", "Accept-Encoding": "identity"}
    ranged = headers | {"Range": f"bytes={have}-"}
    try:
        if have:
            try:
                response = _open(urllib.request.Request(weights.url, headers=ranged), timeout, stall)
            except urllib.error.HTTPError as error:
                if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    raise
            else:
                if response.status != http.HTTPStatus.PARTIAL_CONTENT:
                    return response, 0
                if re.match(rf"bytes {have}-", response.headers.get("Content-Range", "")):
                    return response, have
                response.close()
        return _open(urllib.request.Request(weights.url, headers=headers), timeout, stall), 0
    except urllib.error.HTTPError as error:
        what = f"the server answered {error.code} ({error.reason})"
        raise _failure(weights, what, f"try later, or {_by_hand(weights)}") from error
    except TimeoutError as error:
        raise _failure(weights, f"no answer within {timeout:g} s") from error
    except _NETWORK_ERRORS as error:
        raise _failure(weights, _reason(error)) from error


def _open(request: urllib.request.Request, timeout: float, stall: float) -> http.client.HTTPResponse:
    """``urlopen`` in ``timeout`` seconds altogether. A socket's own time limit does not count the name
    lookup and starts anew with every address tried and every redirection."""
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


def _chunks(response: http.client.HTTPResponse, weights: Weights, stall: float) -> Iterator[bytes]:
    """The body as it arrives: ``read1`` hands over what is there, so a broken connection loses nothing."""
    try:
        while chunk := response.read1(_CHUNK):
            yield chunk
    except TimeoutError as error:
        raise _failure(weights, f"the server sent nothing for {stall:g} s", _RUN_AGAIN) from error
    except _NETWORK_ERRORS as error:
        raise _failure(weights, _reason(error), _RUN_AGAIN) from error


def _failure(weights: Weights, what: str, advice: str | None = None) -> WeightsError:
    advice = advice or f"check the connection, or {_by_hand(weights)}"
    return WeightsError(f"cannot download {weights.name} from {weights.url}: {what}; {advice}")


def _by_hand(weights: Weights) -> str:
    return f"download it by hand and put it into the cache folder as {weights.filename}"


def _reason(error: BaseException) -> str:
    """What went wrong, without Python's wrapping."""
    cause = getattr(error, "reason", error)
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return text[0].lower() + text[1:]
