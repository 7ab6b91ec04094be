"""Writes language codes into a QuickTime file's tracks, which FFmpeg does only in an outdated form."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

#: QuickTime's language code for "unspecified".
_UNSPECIFIED = 0x7FFF


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


def _packed(language: str | None) -> int:
    if language is None:
        return _UNSPECIFIED
    first, second, third = (ord(letter) - 0x60 for letter in language)
    return first << 10 | second << 5 | third


def _media_headers(file: BinaryIO) -> Iterator[int]:
    """The position of the content of each track's media header (``mdhd``)."""
    end = file.seek(0, 2)
    for movie in _boxes(file, b"moov", (0, end)):
        for track in _boxes(file, b"trak", movie):
            for media in _boxes(file, b"mdia", track):
                yield from (start for start, _ in _boxes(file, b"mdhd", media))


def _boxes(file: BinaryIO, kind: bytes, within: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Start and end of the content of each box of that kind, among those that lie side by side from one
    position to another."""
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
        if name == kind:
            yield position + header, position + size
        position += max(size, header)
