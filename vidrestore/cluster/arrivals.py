"""Takes complete segments from workers, and joins them to OUT in their order."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..media.output.destination import make_durable, writing
from ..media.output.segment_writer import SegmentWriter
from ..media.output.segments import Segment
from ..stages.resume import Resume
from ..stages.reuse import Reuse
from .film import JoiningError, RefusedError
from .rendering import Made
from .told import Piece


class Arrivals:
    """A :class:`.lead.Taker` that puts segments where a run by itself has them."""

    def __init__(self, writer: SegmentWriter, earlier: Resume | Reuse) -> None:
        self._writer = writer
        self._earlier = earlier
        self._waiting: dict[int, Segment] = {}  # by first frame: until those before are there
        self._pieces: dict[str, Path] = {}  # by worker
        self.insert()

    def take(self, made: Made, worker: str) -> Segment:
        """See :class:`.lead.Taker`. Raises RefusedError if the segment cannot be joined to others, and
        JoiningError for what ends the run."""
        if made.segment.extradata != self._writer.extradata:
            raise RefusedError(f"its {self._writer.encoder.codec} writes other headers than here")
        folder = self._writer.folder
        path = folder.segment_path(made.first)
        with writing(path):
            make_durable(self._pieces.pop(worker, made.segment.path), path)
        segment = replace(made.segment, path=path)
        try:
            self._writer.take(segment, made.first)
            self._waiting[made.first] = segment
            self.insert()
        except Exception as error:
            raise JoiningError(error) from error
        return segment

    def take_piece(self, piece: Piece, worker: str) -> None:
        """See :class:`.lead.Taker`."""
        path = self._pieces.setdefault(worker, self._writer.folder.path / f"{secrets.token_hex(8)}.part")
        with writing(path), path.open("ab") as file:
            file.write(piece.content)

    def drop_pieces(self, worker: str) -> None:
        """See :class:`.lead.Taker`."""
        if path := self._pieces.pop(worker, None):
            path.unlink(missing_ok=True)

    def save_state(self, frame: int, state: Mapping[str, Any]) -> None:
        """See :class:`.lead.Taker`."""
        self._writer.folder.save_state(frame, state)

    def insert(self) -> None:
        """Let the writer take all segments that are next."""
        while True:
            self._earlier.insert(self._writer)
            segment = self._waiting.pop(self._writer.frames, None)
            if segment is None:
                return
            self._writer.insert(segment)
