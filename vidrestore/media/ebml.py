"""Reads and writes EBML elements (RFC 8794), of which Matroska and WebM files consist (RFC 9559)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from enum import IntEnum
from fractions import Fraction
from typing import BinaryIO, NamedTuple


class Id(IntEnum):
    """The IDs of elements by their names in the RFCs."""

    EBML = 0x1A45DFA3
    DOC_TYPE = 0x4282
    VOID = 0xEC
    CRC_32 = 0xBF
    SEGMENT = 0x18538067
    SEEK_HEAD = 0x114D9B74
    SEEK = 0x4DBB
    SEEK_POSITION = 0x53AC
    INFO = 0x1549A966
    TIMESTAMP_SCALE = 0x2AD7B1
    CLUSTER = 0x1F43B675
    TIMESTAMP = 0xE7
    TRACKS = 0x1654AE6B
    TRACK_ENTRY = 0xAE
    TRACK_NUMBER = 0xD7
    TRACK_UID = 0x73C5
    TRACK_TYPE = 0x83
    CODEC_ID = 0x86
    VIDEO = 0xE0
    PIXEL_WIDTH = 0xB0
    PIXEL_HEIGHT = 0xBA
    DISPLAY_WIDTH = 0x54B0
    DISPLAY_HEIGHT = 0x54BA
    DISPLAY_UNIT = 0x54B2
    STEREO_MODE = 0x53B8
    PIXEL_CROP_BOTTOM = 0x54AA
    PIXEL_CROP_TOP = 0x54BB
    PIXEL_CROP_LEFT = 0x54CC
    PIXEL_CROP_RIGHT = 0x54DD
    PROJECTION = 0x7670
    PROJECTION_TYPE = 0x7671
    PROJECTION_PRIVATE = 0x7672
    PROJECTION_POSE_YAW = 0x7673
    PROJECTION_POSE_PITCH = 0x7674
    PROJECTION_POSE_ROLL = 0x7675
    COLOUR = 0x55B0
    MAX_CLL = 0x55BC
    MAX_FALL = 0x55BD
    MASTERING_METADATA = 0x55D0
    PRIMARY_R_CHROMATICITY_X = 0x55D1
    PRIMARY_R_CHROMATICITY_Y = 0x55D2
    PRIMARY_G_CHROMATICITY_X = 0x55D3
    PRIMARY_G_CHROMATICITY_Y = 0x55D4
    PRIMARY_B_CHROMATICITY_X = 0x55D5
    PRIMARY_B_CHROMATICITY_Y = 0x55D6
    WHITE_POINT_CHROMATICITY_X = 0x55D7
    WHITE_POINT_CHROMATICITY_Y = 0x55D8
    LUMINANCE_MAX = 0x55D9
    LUMINANCE_MIN = 0x55DA


#: Elements are read only up to this many bytes: more than any has in FFmpeg's files before the first cluster.
_MAX_SIZE = 1 << 24


class Element(NamedTuple):
    """One element. ``encode(read_element(file))`` is what was read."""

    id: int
    content: bytes
    size_length: int = 1  #: bytes of the size field, at least: FFmpeg may use more than necessary

    def encode(self) -> bytes:
        """The element as bytes: ID, size, content."""
        size = len(self.content)
        # A size of all ones means that it is unknown.
        length = max(self.size_length, ((size + 1).bit_length() + 6) // 7)
        return encode_unsigned(self.id) + (size | 1 << 7 * length).to_bytes(length) + self.content

    def children(self) -> list[Element]:
        """The elements that a master element contains. Raises ValueError if it contains anything else."""
        file, elements = io.BytesIO(self.content), []
        while file.tell() < len(self.content):
            elements.append(read_element(file))
        return elements

    def with_children(self, children: Sequence[Element]) -> Element:
        """The master element with other elements in it. A checksum, which comes first, is updated."""
        content = b"".join(child.encode() for child in children if child.id != Id.CRC_32)
        if children and children[0].id == Id.CRC_32:
            checksum = zlib.crc32(content).to_bytes(4, "little")
            content = Element(Id.CRC_32, checksum).encode() + content
        return self._replace(content=content)


def master(id: int, *children: Element) -> Element:
    """An element that contains other elements."""
    return Element(id, b"".join(child.encode() for child in children))


def unsigned(id: int, value: int) -> Element:
    """An element that holds an unsigned integer."""
    return Element(id, encode_unsigned(value))


def floating(id: int, value: float | Fraction) -> Element:
    """An element that holds a number, in double precision."""
    return Element(id, struct.pack(">d", value))


def string(id: int, text: str) -> Element:
    """An element that holds ASCII text."""
    return Element(id, text.encode("ascii"))


def void(size: int) -> bytes:
    """An element without meaning that takes ``size`` bytes in total; nothing if that is 0. Raises ValueError
    if there is none so short."""
    if size < 0 or size == 1:
        raise ValueError(f"no element takes {size} bytes")
    if size < 9:
        return Element(Id.VOID, bytes(size - 2)).encode() if size else b""
    return Element(Id.VOID, bytes(size - 9), size_length=8).encode()


def encode_unsigned(value: int) -> bytes:
    """An unsigned integer, big-endian, in as few bytes as possible; none for 0."""
    return value.to_bytes((value.bit_length() + 7) // 8)


def find(elements: Sequence[Element], id: int) -> bytes:
    """The content of the first element of that ID, empty if there is none."""
    return next((element.content for element in elements if element.id == id), b"")


def read_element(file: BinaryIO) -> Element:
    """Read the element at the current position. Raises ValueError if there is none, or it is incomplete, very
    large or of unknown size."""
    id, size, size_length = read_header(file)
    if size > _MAX_SIZE or size == (1 << 7 * size_length) - 1:
        raise ValueError("an element is too large, or of unknown size")
    content = file.read(size)
    if len(content) != size:
        raise ValueError("an element is cut off")
    return Element(id, content, size_length)


def read_header(file: BinaryIO) -> tuple[int, int, int]:
    """Read the ID and the size of the element at the current position: ID, size and the number of bytes of
    the size field. Raises ValueError if there is none."""
    id, size = _read_variable(file), _read_variable(file)
    return int.from_bytes(id), int.from_bytes(size) - (1 << 7 * len(size)), len(size)


def _read_variable(file: BinaryIO) -> bytes:
    """Read a variable-size integer: the leading zeros of its first byte tell how many bytes follow (RFC 8794,
    section 4)."""
    first = file.read(1)
    more = 8 - int.from_bytes(first).bit_length()
    rest = file.read(more)
    if more == 8 or len(rest) < more:
        raise ValueError("no element")
    return first + rest
