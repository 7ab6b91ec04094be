"""The languages of a QuickTime file's tracks, as its format can hold them and FFmpeg does not write them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

#: A language code of QuickTime that stands for none.
_UNSPECIFIED = 0x7FFF


def write_languages(path: Path, languages: Sequence[str | None]) -> None:
    """Set the languages of the first tracks of a finished file, in their order, to ISO 639-2 codes.

    FFmpeg writes QuickTime's old numbers, for a hundred languages spelled in its own way. The format also
    takes any code of three letters, five bits each (QuickTime File Format, "ISO language codes").
    """
    with path.open("r+b") as file:
        for language, (place, size) in zip(languages, _media_headers(file), strict=False):
            file.seek(place)
            version = file.read(size)[0]
            # Behind version, flags, and two dates, a time scale and a duration in 32 bits, or the dates and
            # the duration in 64.
            file.seek(place + (32 if version else 20))
            file.write(struct.pack(">H", _packed(language)))


def _packed(language: str | None) -> int:
    if language is None:
        return _UNSPECIFIED
    first, second, third = (ord(letter) - 0x60 for letter in language)
    return first << 10 | second << 5 | third


def _media_headers(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Where the content of each track's media header (``mdhd``) begins, and its size."""
    end = file.seek(0, 2)
    for movie in _boxes(file, b"moov", (0, end)):
        for track in _boxes(file, b"trak", movie):
            for media in _boxes(file, b"mdia", track):
                yield from ((start, stop - start) for start, stop in _boxes(file, b"mdhd", media))


def _boxes(file: BinaryIO, kind: bytes, within: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Where the contents of the boxes of a kind begin and end, among those side by side in ``within``."""
    place, end = within
    while place + 8 <= end:
        file.seek(place)
        size, name = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            header = 16
        elif size == 0:
            size = end - place
        if name == kind:
            yield place + header, place + size
        place += max(size, header)
