"""Elements of Matroska that no tool here writes, added to a video track as files of cameras have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_SEGMENT, _SEEK_HEAD, _CUES, _VOID = 0x18538067, 0x114D9B74, 0x1C53BB6B, 0xEC
_TRACKS, _ENTRY, _VIDEO = 0x1654AE6B, 0xAE, 0xE0


def add_to_video(source: Path, out: Path, elements: bytes) -> Path:
    """Append elements to those of each video track of a file, which loses its index."""
    out.write_bytes(_changed(source.read_bytes(), elements))
    return out


def _changed(data: bytes, elements: bytes) -> bytes:
    made = b""
    for id, content in _elements(data):
        if id in (_SEEK_HEAD, _CUES, _VOID):  # with positions, which change
            continue
        if id in (_SEGMENT, _TRACKS, _ENTRY):
            content = _changed(content, elements)
        elif id == _VIDEO:
            content += elements
        size = (1 << 56 | len(content)).to_bytes(8)
        made += id.to_bytes((id.bit_length() + 7) // 8) + size + content
    return made


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        id, position = _number(data, position)
        size, after = _number(data, position)
        start, size = after, size - (1 << 7 * (after - position))
        yield id, data[start : start + size]
        position = start + size


def _number(data: bytes, position: int) -> tuple[int, int]:
    """A variable-size integer with its marker, and the position after it."""
    end = position + 9 - data[position].bit_length()
    return int.from_bytes(data[position:end]), end
