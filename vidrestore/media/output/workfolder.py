"""The hidden folder beside OUT where a run keeps what it has finished, until OUT is whole."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import OutputError
from ...runtime.lock import hold
from .destination import make_durable, writing
from .segments import Piece, read_piece

log = logging.getLogger(__name__)

_LOCK = "lock"
_KEY = "run.json"


class WorkFolder:
    """Pieces and notes of one run. A context manager: leaving it without an error removes it, leaving it
    with one keeps it if a piece is finished, and adds to the error how to go on."""

    def __init__(self, out: Path) -> None:
        self.path = out.with_name(f".{out.name}.vidrestore")
        self.partial = self.path / f"partial{out.suffix}"  #: OUT, until it is whole
        self._out = out
        self._lock: BinaryIO | None = None
        self._begun = False

    def __enter__(self) -> WorkFolder:
        """Raises OutputError where another run writes the same OUT, or the folder cannot be made."""
        with writing(self._out):
            self._lock = self._locked()
            if self._lock:
                self._tidy()
        if self._lock is None:
            raise OutputError(f"another run is writing {self._out}; wait for its end or choose another name")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        pieces = self._pieces() if kind is not None else []
        self._tidy()
        if not pieces:
            shutil.rmtree(self.path, ignore_errors=True)
        elif error is not None and self._begun:
            frames = sum(piece.frames for piece in pieces)
            error.add_note(f"{frames} frames are done and kept: the same command goes on behind them")
        self._lock.close()

    def go_on(self, key: Mapping[str, str], *, wanted: bool) -> list[Piece]:
        """The finished pieces of an earlier run of the same ``key``, in order. Without any, or where the key
        is another, this run begins from the start: which it is, is said in one line.

        ``key`` says by name what the frames of OUT depend on. ``wanted`` says that the user counts on pieces.
        """
        found = self._pieces()
        before = self._read(_KEY) or {}
        changed = [name for name in {**key, **before} if before.get(name) != key.get(name)]
        if found and changed:
            log.warning("starting over: %s", _difference(changed[0], before, key))
        elif found:
            frames = sum(piece.frames for piece in found)
            log.info("going on behind %d frames that are done (to start over, remove %s)", frames, self.path)
        elif wanted:
            log.info("nothing to resume: starting from the beginning")
        kept = [] if changed else found
        paths = {piece.path for piece in kept}
        stale = [*self.path.glob("*.piece"), *(self.path.glob("*.json") if changed else ())]
        for path in stale:
            if path not in paths:
                path.unlink()
        self._write(_KEY, key)
        self._begun = True
        return kept

    @property
    def used(self) -> int:
        """Bytes that it holds."""
        return sum(path.stat().st_size for path in self.path.iterdir())

    def piece_path(self, frame: int) -> Path:
        """Where the piece that begins with a frame belongs."""
        return self.path / f"{frame:010}.piece"

    def note(self, frame: int, about: Mapping[str, Any]) -> None:
        """Keep what a run needs to know to go on with a frame, made of what JSON can hold."""
        self._write(f"{frame:010}.json", about)

    def noted(self, frame: int) -> dict[str, Any] | None:
        """What was noted for a frame, if anything."""
        return self._read(f"{frame:010}.json")

    def forget(self, frame: int) -> None:
        """What was noted for a frame is no longer needed."""
        (self.path / f"{frame:010}.json").unlink(missing_ok=True)

    def _locked(self) -> BinaryIO | None:
        while True:
            self.path.mkdir(exist_ok=True)
            # Between the two, the run that was here may have removed the folder.
            with suppress(FileNotFoundError):
                return hold(self.path / _LOCK)

    def _tidy(self) -> None:
        """Remove what was broken off."""
        for leftover in (self.partial, *self.path.glob("*.part")):
            leftover.unlink(missing_ok=True)

    def _pieces(self) -> list[Piece]:
        pieces: list[Piece] = []
        frame = 0
        while piece := read_piece(self.piece_path(frame)):
            pieces.append(piece)
            frame += piece.frames
        return pieces

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        part = (self.path / name).with_suffix(".part")
        with writing(self._out):
            part.write_text(json.dumps(dict(content)), encoding="utf-8")
            make_durable(part, self.path / name)


def _difference(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """That something has changed, in words; what it was and is, where a person can tell."""
    values = [str(values.get(name, "not set")) for values in (before, now)]
    told = f" ({values[0]}, now {values[1]})" if max(map(len, values)) < 40 else ""
    return f"{name} has changed since the last run{told}"
