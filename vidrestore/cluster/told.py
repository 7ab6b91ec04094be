"""What workers send besides what is restored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """A message that a worker logged."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """The next bytes of a segment file, from a worker that does not see the folder of segments."""

    content: bytes
