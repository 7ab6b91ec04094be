"""The shape of a Matroska video's pixels, which its header can tell and PyAV has no way to set."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, NamedTuple

#: Elements by their IDs (RFC 9559, and RFC 8794 for those of EBML itself).
_EBML, _VOID, _CRC = b"\x1a\x45\xdf\xa3", b"\xec", b"\xbf"
_DOCTYPE = b"\x42\x82"
_SEGMENT, _SEEK_HEAD = b"\x18\x53\x80\x67", b"\x11\x4d\x9b\x74"
_SEEK, _SEEK_POSITION = b"\x4d\xbb", b"\x53\xac"
_TRACKS, _TRACK, _TYPE, _VIDEO = b"\x16\x54\xae\x6b", b"\xae", b"\x83", b"\xe0"
_WIDTH, _HEIGHT = b"\xb0", b"\xba"
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = b"\x54\xb0", b"\x54\xba", b"\x54\xb2"
#: Of a display's width and height: nothing but their ratio counts.
_RATIO = 3
#: More bytes than any element before the end of the tracks has in a file of FFmpeg's.
_LARGEST = 1 << 24


class _Element(NamedTuple):
    kind: bytes  #: its ID
    content: bytes
    width: int = 1  #: the bytes that its size takes at least: FFmpeg may spend more than it must

    def written(self) -> bytes:
        size = len(self.content)
        width = max(self.width, ((size + 1).bit_length() + 6) // 7)  # all ones stand for an unknown size
        return self.kind + (size | 1 << 7 * width).to_bytes(width) + self.content


def write_shapes(path: Path, shapes: Sequence[Fraction | None]) -> bool:
    """Set the sample aspect ratios of the video tracks of a finished file, in their order. None changes
    nothing, nor is what a track already says replaced.

    FFmpeg leaves a Void behind the SeekHead: what lies between it and the end of the tracks moves up into it,
    so that no later byte changes its place. Returns whether that was possible; where the file is not as
    FFmpeg writes it, or has no room, it is left alone.
    """
    with path.open("r+b") as file:
        try:
            place, head = _with_shapes(file, shapes)
        except (ValueError, ArithmeticError):
            return False
        file.seek(place)
        file.write(head)
    return True


def _with_shapes(file: BinaryIO, shapes: Sequence[Fraction | None]) -> tuple[int, bytes]:
    """Where a file's SeekHead begins, and what is to be there from it to the end of the tracks."""
    ebml = _read(file)
    if ebml.kind != _EBML or _header(file)[0] != _SEGMENT:
        raise ValueError("not Matroska")
    webm = _value(_children(ebml.content), _DOCTYPE) == b"webm"
    start = file.tell()
    seek_head, void, *between = _until_tracks(file)
    if (seek_head.kind, void.kind) != (_SEEK_HEAD, _VOID):
        raise ValueError("no place")
    length = file.tell() - start
    old = b"".join(element.written() for element in between)
    new = b"".join(
        element.written() for element in (*between[:-1], _reshaped(between[-1], shapes, webm=webm))
    )
    shift = len(old) - len(new)
    head = _moved(seek_head, shift, range(length - len(old), length)).written()
    return start, head + _void(length - len(head) - len(new)) + new


def _until_tracks(file: BinaryIO) -> list[_Element]:
    """The segment's elements, from where the file is to the end of its tracks."""
    elements = [_read(file)]
    while elements[-1].kind != _TRACKS:
        elements.append(_read(file))
    return elements


def _reshaped(tracks: _Element, shapes: Sequence[Fraction | None], *, webm: bool) -> _Element:
    entries = _children(tracks.content)
    videos = [i for i, entry in enumerate(entries) if entry.kind == _TRACK and _is_video(entry)]
    for index, shape in zip(videos, shapes, strict=True):
        if shape is not None:
            track = [
                _displayed(part, shape, webm=webm) if part.kind == _VIDEO else part
                for part in _children(entries[index].content)
            ]
            entries[index] = _holding(entries[index], track)
    return _holding(tracks, entries)


def _is_video(track: _Element) -> bool:
    return _value(_children(track.content), _TYPE) == b"\x01"


def _displayed(video: _Element, shape: Fraction, *, webm: bool) -> _Element:
    """A track's picture settings, with the size or the ratio at which it is shown."""
    settings = _children(video.content)
    if _value(settings, _DISPLAY_WIDTH):
        return video
    width, height = (int.from_bytes(_value(settings, name)) for name in (_WIDTH, _HEIGHT))
    ratio = Fraction(width, height) * shape
    if webm:  # whose readers take a size in pixels
        display = dict(zip((_DISPLAY_WIDTH, _DISPLAY_HEIGHT), _pixels(width, height, shape), strict=True))
    else:  # exact, and what FFmpeg writes
        display = {
            _DISPLAY_WIDTH: ratio.numerator,
            _DISPLAY_HEIGHT: ratio.denominator,
            _DISPLAY_UNIT: _RATIO,
        }
    settings = [setting for setting in settings if setting.kind != _DISPLAY_UNIT]
    return _holding(video, [*settings, *(_Element(kind, _number(value)) for kind, value in display.items())])


def _pixels(width: int, height: int, shape: Fraction) -> tuple[int, int]:
    """A size of whole square pixels for a picture: exact where one side can stay, else to the nearest."""
    wide, tall = width * shape, height / shape
    whole = wide.denominator == 1, tall.denominator == 1
    by_width = whole[0] if whole[0] != whole[1] else shape > 1
    return (round(wide), height) if by_width else (width, round(tall))


def _moved(seek_head: _Element, shift: int, places: range) -> _Element:
    """A SeekHead after what begins at ``places`` of the segment has moved by ``shift`` bytes."""
    entries = [
        _holding(entry, [_later(part, shift, places) for part in _children(entry.content)])
        if entry.kind == _SEEK
        else entry
        for entry in _children(seek_head.content)
    ]
    return _holding(seek_head, entries)


def _later(part: _Element, shift: int, places: range) -> _Element:
    place = int.from_bytes(part.content)
    if part.kind != _SEEK_POSITION or place not in places:
        return part
    return part._replace(content=(place + shift).to_bytes(len(part.content)))


def _read(file: BinaryIO) -> _Element:
    kind, size, width = _header(file)
    if size > _LARGEST or size == (1 << 7 * width) - 1:
        raise ValueError("an element is too large, or of unknown size")
    content = file.read(size)
    if len(content) != size:
        raise ValueError("an element is cut off")
    return _Element(kind, content, width)


def _header(file: BinaryIO) -> tuple[bytes, int, int]:
    """The ID of the element that begins here, its size, and the bytes that the size takes."""
    kind, size = _variable(file), _variable(file)
    return kind, int.from_bytes(size) - (1 << 7 * len(size)), len(size)


def _variable(file: BinaryIO) -> bytes:
    """A number whose first byte's leading zeros say how many bytes follow (RFC 8794, section 4)."""
    first = file.read(1)
    more = 8 - int.from_bytes(first).bit_length()
    rest = file.read(more)
    if more == 8 or len(rest) < more:
        raise ValueError("no element")
    return first + rest


def _children(content: bytes) -> list[_Element]:
    file, elements = io.BytesIO(content), []
    while file.tell() < len(content):
        elements.append(_read(file))
    return elements


def _value(elements: Sequence[_Element], kind: bytes) -> bytes:
    """The content of the first element of a kind, empty where there is none."""
    return next((element.content for element in elements if element.kind == kind), b"")


def _holding(parent: _Element, children: Sequence[_Element]) -> _Element:
    """An element with other elements in it. A checksum, which comes first, is that of what follows it."""
    content = b"".join(child.written() for child in children if child.kind != _CRC)
    if children and children[0].kind == _CRC:
        content = _Element(_CRC, zlib.crc32(content).to_bytes(4, "little")).written() + content
    return parent._replace(content=content)


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8)


def _void(size: int) -> bytes:
    """An element of nothing that takes ``size`` bytes, header and all."""
    if size < 0 or size == 1:
        raise ValueError("no room")
    if size < 9:
        return _Element(_VOID, bytes(size - 2)).written() if size else b""
    return _Element(_VOID, bytes(size - 9), 8).written()
