"""The notes of all frames of a run, kept in a temporary file, so that memory does not grow with the video."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import msgspec

from ..errors import OutputError
from ..stages.notes import FrameNotes


class Spool:
    """A list of :class:`FrameNotes` on disk: appended to, and then read as often as wanted.

    A context manager; the file is gone when it is left.
    """

    def __init__(self) -> None:
        """Raises OutputError if the folder of temporary files cannot be written, as :meth:`add` does."""
        with _kept():
            self._file = tempfile.TemporaryFile(prefix="vidrestore-")  # noqa: SIM115
        self.frames = 0  #: how many it holds

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, frames: Iterable[FrameNotes]) -> None:
        """Append the notes of the next frames."""
        for frame in frames:
            with _kept():
                self._file.write(msgspec.json.encode(frame) + b"\n")
            self.frames += 1

    def add_infos(self, infos: Iterable[Mapping[str, Any]]) -> None:
        """Append the notes that segments kept along with their frames."""
        self.add(msgspec.convert(info["notes"], FrameNotes) for info in infos)

    def __iter__(self) -> Iterator[FrameNotes]:
        """All notes, in their order."""
        with _kept():
            self._file.seek(0)  # writes what is left to write
        decoder = msgspec.json.Decoder(FrameNotes)
        for line in self._file:
            yield decoder.decode(line)
        self._file.seek(0, 2)


@contextmanager
def _kept() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the notes of a report cannot be kept in {tempfile.gettempdir()}: {error.strerror}; make room "
            "there, or set TMPDIR to another folder"
        ) from None
