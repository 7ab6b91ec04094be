"""Standard input, output and error, whatever they are connected to."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from .errors import OutputError


@contextmanager
def safe_streams() -> Iterator[None]:
    """Make the standard streams safe to use; afterwards ``sys.stderr`` is as it was before.

    Characters that the encoding of standard output lacks are printed as backslash escapes. What cannot be
    written to standard error, because its disk is full or its reader has gone, is left out: messages never
    end a run. Descriptors 0 to 2 that are closed lead to the null device, since libraries print to
    descriptor 2 and a video file that is opened must not get that number.
    """
    _occupy_descriptors()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    before = sys.stderr
    with ForgivingStream(before) as sys.stderr:
        try:
            yield
        finally:
            sys.stderr = before


def print_data(text: str) -> None:
    """Write data to standard output. Raises OutputError if it cannot be written."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; leave it open or redirect it")
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard(sys.stdout)
        raise OutputError(f"standard output cannot be written: {error.strerror}") from None


class ForgivingStream(io.TextIOBase):
    """Writes to a text stream, or to nothing if that is None, and ignores what fails."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __exit__(self, *_: object) -> None:
        """Discard what is still buffered; the stream stays open."""
        if self._stream is None:
            return
        try:
            self._stream.flush()
        except OSError:
            _discard(self._stream)

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # a method in typeshed
        """That of the stream."""
        return getattr(self._stream, "encoding", None) or "ascii"

    def fileno(self) -> int:
        """The stream's descriptor."""
        return 2 if self._stream is None else self._stream.fileno()

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str, /) -> int:
        """Write ``text`` if that is possible."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream if that is possible."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.flush()


def _occupy_descriptors() -> None:
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one


def _discard(stream: TextIO) -> None:
    """Send what is left in the stream's buffer nowhere: it would fail again when Python exits."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
