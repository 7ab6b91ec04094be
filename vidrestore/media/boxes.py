"""Reads and writes the boxes of which MP4 and QuickTime files consist (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

#: From the content of a box to the boxes in it: what precedes the entries of a sample description, and the
#: fields of a video's entry.
_BEFORE_ENTRIES, _VIDEO_ENTRY = 8, 78


def box(kind: bytes, *content: bytes) -> bytes:
    """A box of that kind, with its content."""
    joined = b"".join(content)
    return struct.pack(">I4s", 8 + len(joined), kind) + joined


def boxes(file: BinaryIO, within: tuple[int, int]) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each box from one position to another, and start and end of its content."""
    position, end = within
    while position + 8 <= end:
        file.seek(position)
        size, name = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            header = 16
        elif size == 0:
            size = end - position
        if not header <= size <= end - position:
            return  # damaged
        yield name, position + header, position + size
        position += size


def boxes_at(file: BinaryIO, within: tuple[int, int], *path: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of the content of each box at a path of kinds, from one position to another."""
    found = [within]
    for kind in path:
        found = [(start, end) for place in found for name, start, end in boxes(file, place) if name == kind]
    yield from found


def tracks(file: BinaryIO) -> list[tuple[int, int]]:
    """Start and end of the content of each track's box (``trak``)."""
    return list(boxes_at(file, (0, file.seek(0, 2)), b"moov", b"trak"))


def track_boxes(file: BinaryIO, *path: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of the content of the boxes at a path below each track's box."""
    for track in tracks(file):
        yield from boxes_at(file, track, *path)


def sample_boxes(file: BinaryIO, track: tuple[int, int]) -> Iterator[tuple[bytes, int, int]]:
    """The boxes in the sample description of a video track, as :func:`boxes` does."""
    for start, end in boxes_at(file, track, b"mdia", b"minf", b"stbl", b"stsd"):
        for _, entry, entry_end in boxes(file, (start + _BEFORE_ENTRIES, end)):
            yield from boxes(file, (entry + _VIDEO_ENTRY, entry_end))


def with_sample_boxes(moov: bytes, number: int, content: bytes) -> bytes:
    """The box ``moov`` with more boxes at the end of the first sample description of track ``number``."""
    path = (b"trak", b"mdia", b"minf", b"stbl", b"stsd", None)
    return _extended(moov, path, (8, 8, 8, 8, 8, 8 + _BEFORE_ENTRIES), number, content)


def _extended(
    data: bytes, path: tuple[bytes | None, ...], headers: tuple[int, ...], number: int, content: bytes
) -> bytes:
    """A box, ``data``, with ``content`` at the end of the box at a path in it: of the first of each kind, but
    of box ``number`` of the first kind. None stands for any kind, and ``headers`` are the bytes before the
    boxes within each box."""
    if not path:
        size, kind = struct.unpack_from(">I4s", data)
        return struct.pack(">I4s", size + len(content), kind) + data[8:] + content
    position = headers[0]
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        if path[0] in (None, kind):
            if not number:
                inner = _extended(data[position : position + size], path[1:], headers[1:], 0, content)
                made = data[:position] + inner + data[position + size :]
                return struct.pack(">I", len(made)) + made[4:]
            number -= 1
        position += max(8, size)
    raise ValueError("no such box")
