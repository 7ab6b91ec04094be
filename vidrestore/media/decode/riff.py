"""Whether an AVI is complete, according to the sizes of its RIFF chunks."""

from __future__ import annotations

import struct
from pathlib import Path

_HEADER = struct.Struct("<4sI")


def is_cut_short(path: Path) -> bool:
    """Whether an AVI ends before its last chunk does. A file of more than 1 GB has several ``RIFF`` chunks
    (OpenDML AVI File Format Extensions, section 2.0)."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        position = 0
        while position < end:
            file.seek(position)
            header = file.read(_HEADER.size)
            if not header.startswith(b"RIFF") or len(header) < _HEADER.size:
                return False  # something else behind the last chunk, such as padding
            size = _HEADER.unpack(header)[1]
            position += _HEADER.size + size + size % 2
        return position - end > 1  # a pad byte may be left out
