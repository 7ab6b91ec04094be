"""Corrects what FFmpeg writes into the tracks of MP4 and QuickTime files, in place."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from ..boxes import boxes_at, sample_boxes, track_boxes, tracks, with_sample_boxes

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
        for language, (start, _) in zip(languages, track_boxes(file, b"mdia", b"mdhd"), strict=False):
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
        for is_disabled, (start, _) in zip(disabled, track_boxes(file, b"tkhd"), strict=False):
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
        for track in tracks(file):
            for kind, content, _ in sample_boxes(file, track):
                if kind == b"vexu":
                    file.seek(content - 4)
                    file.write(b"free")


def add_sample_boxes(path: Path, number: int, boxes: bytes) -> None:
    """Add boxes to the sample description of track ``number`` of a finished file.

    Its index (``moov``) is written again at the end, and what was it becomes free space, so that no frame
    moves.
    """
    with path.open("r+b") as file:
        length = file.seek(0, 2)
        start, end = next(boxes_at(file, (0, length), b"moov"))
        file.seek(start - 8)
        moov = with_sample_boxes(file.read(end - start + 8), number, boxes)
        file.seek(length)
        file.write(moov)
        file.seek(start - 4)
        file.write(b"free")


def _packed(language: str | None) -> int:
    if language is None:
        return _UNSPECIFIED
    first, second, third = (ord(letter) - 0x60 for letter in language)
    return first << 10 | second << 5 | third
