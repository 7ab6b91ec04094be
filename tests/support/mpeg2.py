"""Extensions of MPEG-2 video that no tool here writes (ISO/IEC 13818-2)."""

from __future__ import annotations

import re
from pathlib import Path

_EXTENSION = b"\0\0\1\xb5"
_SEQUENCE_DISPLAY, _PICTURE_DISPLAY, _PICTURE_CODING = 2, 7, 8


def set_window(path: Path, width: int, height: int, offset: int = 0) -> Path:
    """Set the size of the pan-scan window of a raw stream of progressive pictures in all its sequence display
    extensions, which the encoder's option ``seq_disp_ext`` makes it write. With ``offset``, in sixteenths of
    a pixel, each picture moves its window to the side."""
    data = path.read_bytes()
    pieces = re.split(f"(?={re.escape(_EXTENSION.decode('latin-1'))})".encode("latin-1"), data)
    path.write_bytes(b"".join(_changed(piece, width, height, offset) for piece in pieces))
    return path


def _changed(piece: bytes, width: int, height: int, offset: int) -> bytes:
    """An extension and what follows it."""
    kind = piece[4] >> 4 if piece.startswith(_EXTENSION) else 0
    if kind == _SEQUENCE_DISPLAY:
        start = 8 if piece[4] & 1 else 5  # with a description of the colours
        return piece[:start] + _bits(f"{width:014b}1{height:014b}") + piece[start + 4 :]
    if kind == _PICTURE_CODING and offset:
        end = piece.index(b"\0\0\1", 4)
        moved = _bits(f"{_PICTURE_DISPLAY:04b}{offset:016b}1{0:016b}1")
        return piece[:end] + _EXTENSION + moved + piece[end:]
    return piece


def _bits(text: str) -> bytes:
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8)
