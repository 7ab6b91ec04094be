"""How the main picture of a HEIC or AVIF is coded, by the properties of its item (ISO/IEC 23008-12)."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..boxes import boxes, boxes_at

#: Bytes of a box's version and flags, which precede its content.
_FULL = 4
_UNSPECIFIED = 2
_BRANDS = 256


@dataclass(frozen=True, slots=True)
class Coding:
    """What properties say; H.273's numbers."""

    bits: int = 8  #: per sample
    primaries: int = _UNSPECIFIED
    transfer: int = _UNSPECIFIED
    has_gain_map: bool = False  #: the file holds one that makes HDR of the picture (brand ``tmap``)


def primary_coding(path: Path) -> Coding:
    """The coding of the main picture in a file. What a damaged file does not say is as by default."""
    bits, primaries, transfer, gain_map = 8, _UNSPECIFIED, _UNSPECIFIED, False
    with suppress(struct.error, IndexError, ValueError), path.open("rb") as file:
        end = file.seek(0, 2)
        for start, stop in boxes_at(file, (0, end), b"ftyp"):
            file.seek(start)
            gain_map = b"tmap" in file.read(min(stop - start, _BRANDS))
        for start, stop in boxes_at(file, (0, end), b"meta"):
            file.seek(start + _FULL)
            meta = file.read(stop - start - _FULL)
            for kind, content in _properties(meta):
                if kind == b"pixi":  # version and flags, number of channels, bits of each
                    bits = max(bits, *content[5 : 5 + content[4]])
                elif kind == b"av1C" and content[2] & 0x40:  # high_bitdepth, twelve_bit
                    bits = max(bits, 12 if content[2] & 0x20 else 10)
                elif kind == b"colr" and content[:4] == b"nclx":
                    primaries, transfer = struct.unpack_from(">HH", content, 4)
    return Coding(bits, primaries, transfer, gain_map)


def _properties(meta: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and content of the properties of the primary item, of the content of a box ``meta`` behind its
    version. Raises struct.error, IndexError or ValueError if it is damaged."""
    file, whole = io.BytesIO(meta), (0, len(meta))
    (primary,) = (meta[start:end] for start, end in boxes_at(file, whole, b"pitm"))
    item = int.from_bytes(primary[_FULL:])
    [(start, end)] = boxes_at(file, whole, b"iprp", b"ipco")
    found = [(kind, meta[first:last]) for kind, first, last in boxes(file, (start, end))]
    for start, end in boxes_at(file, whole, b"iprp", b"ipma"):
        if (numbers := _associations(meta[start:end]).get(item)) is not None:
            return [found[number - 1] for number in numbers if number]
    return []


def _associations(ipma: bytes) -> dict[int, list[int]]:
    """The numbers of each item's properties, from 1 on, of the content of a box ``ipma`` (section 9.3)."""
    version, wide = ipma[0], ipma[3] & 1
    (entries,) = struct.unpack_from(">I", ipma, _FULL)
    found, at = {}, _FULL + 4
    for _ in range(entries):
        (item,) = struct.unpack_from(">I" if version else ">H", ipma, at)
        at += 4 if version else 2
        count, at = ipma[at], at + 1
        form = f">{count}{'H' if wide else 'B'}"
        # The first bit says that readers must understand the property.
        found[item] = [n & (0x7FFF if wide else 0x7F) for n in struct.unpack_from(form, ipma, at)]
        at += struct.calcsize(form)
    return found
