"""The notes of all frames of a run, kept in a temporary file, so that memory does not grow with the video."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

import msgspec

from ..stages.notes import FrameNotes


class Spool:
    """A list of :class:`FrameNotes` on disk: appended to, and then read as often as wanted.

    A context manager; the file is gone when it is left.
    """

    def __init__(self) -> None:
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
            self._file.write(msgspec.json.encode(frame) + b"\n")
            self.frames += 1

    def add_infos(self, infos: Iterable[Mapping[str, Any]]) -> None:
        """Append the notes that segments kept along with their frames."""
        self.add(msgspec.convert(info["notes"], FrameNotes) for info in infos)

    def __iter__(self) -> Iterator[FrameNotes]:
        """All notes, in their order."""
        self._file.seek(0)
        decoder = msgspec.json.Decoder(FrameNotes)
        for line in self._file:
            yield decoder.decode(line)
        self._file.seek(0, 2)
