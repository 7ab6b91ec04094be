"""Corrects what FFmpeg writes into the tracks of MP4 and QuickTime files, in place."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

#: QuickTime's language code for "unspecified".
_UNSPECIFIED = 0x7FFF
#: Flag of a track header (``tkhd``).
_TRACK_ENABLED = 1


def write_languages(path: Path, languages: Sequence[str | None]) -> None:
    """Set the languages of a finished file's first tracks, in their order, to ISO 639-2 codes.

    FFmpeg writes QuickTime's old language numbers, which cover a hundred languages with one spelling each.
    The format also accepts any code of three letters, five bits each (QuickTime File Format, "ISO language
    codes").
    """
    with path.open("r+b") as file:
        for language, start in zip(languages, _media_headers(file), strict=False):
            file.seek(start)
            version = file.read(1)[0]
            # The language follows the version and flags (4 bytes), two dates, the time scale and the
            # duration. In version 1, the dates and the duration have 8 bytes rather than 4.
            file.seek(start + (32 if version else 20))
            file.write(struct.pack(">H", _packed(language)))


def disable_tracks(path: Path, disabled: Sequence[bool]) -> None:
    """Mark tracks of a finished file, in their order, as not shown unless somebody chooses them.

    FFmpeg enables the first track of each kind if none is the default, and players show an enabled subtitle
    without being asked.
    """
    with path.open("r+b") as file:
        for is_disabled, (start, _) in zip(disabled, _track_boxes(file, b"tkhd"), strict=False):
            if is_disabled:
                file.seek(start + 3)  # the last byte of the flags, after the version
                flags = file.read(1)[0]
                file.seek(start + 3)
                file.write(bytes([flags & ~_TRACK_ENABLED]))


def hide_apple_stereo(path: Path) -> None:
    """Turn the boxes of Apple's stereo 3D video (``vexu``) in a finished file into free space.

    FFmpeg writes them beside the older ``st3d`` and ``sv3d``, but without the arrangement of the two views,
    so that readers that prefer them do not find it.
    """
    with path.open("r+b") as file:
        for start, end in _track_boxes(file, b"mdia", b"minf", b"stbl", b"stsd"):
            # A sample description begins with 8 bytes, and each entry of a video with 78 bytes of its own.
            for _, entry_start, entry_end in _side_by_side(file, (start + 8, end)):
                for kind, content, _ in _side_by_side(file, (entry_start + 78, entry_end)):
                    if kind == b"vexu":
                        file.seek(content - 4)
                        file.write(b"free")


def _packed(language: str | None) -> int:
    if language is None:
        return _UNSPECIFIED
    first, second, third = (ord(letter) - 0x60 for letter in language)
    return first << 10 | second << 5 | third


def _media_headers(file: BinaryIO) -> Iterator[int]:
    """The position of the content of each track's media header (``mdhd``)."""
    yield from (start for start, _ in _track_boxes(file, b"mdia", b"mdhd"))


def _track_boxes(file: BinaryIO, *path: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of the content of the boxes at a path below each track's box."""
    found = [(0, file.seek(0, 2))]
    for kind in (b"moov", b"trak", *path):
        found = [box for within in found for box in _boxes(file, kind, within)]
    yield from found


def _boxes(file: BinaryIO, kind: bytes, within: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Start and end of the content of each box of that kind, among those that lie side by side from one
    position to another."""
    yield from ((start, end) for name, start, end in _side_by_side(file, within) if name == kind)


def _side_by_side(file: BinaryIO, within: tuple[int, int]) -> Iterator[tuple[bytes, int, int]]:
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
        yield name, position + header, position + size
        position += max(size, header)
