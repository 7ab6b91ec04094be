"""What a photo's file says besides its samples: EXIF, XMP, colour profile, resolution, and what only its own
format knows."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, JpegImagePlugin
from PIL.TiffTags import TAGS_V2_GROUPS

from .formats import JPEG, PNG, TIFF, PhotoFormat

ORIENTATION, _X_RESOLUTION = 274, 282
XMP, ICC_PROFILE = 700, 34675
#: Photoshop's ImageSourceData: its layers, from which it would show the picture as it was.
PHOTOSHOP_LAYERS = 37724
#: The directory of EXIF's own tags, and its PixelXDimension and PixelYDimension (EXIF 3.0, section 4.6).
_EXIF_DIRECTORY, _PIXEL_SIZES = 34665, (0xA002, 0xA003)
#: Types of integers in a TIFF, as ``struct`` has them.
_INTEGERS = {3: "H", 4: "I"}
_XMP_KEYWORD = b"XML:com.adobe.xmp"
#: Tags of a TIFF that tell how its samples lie in the file, or that other fields here hold (TIFF 6.0,
#: sections 3 to 15, 20 to 22), and those that hold the same samples once more.
STRUCTURE = frozenset(
    [
        *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289),
        *(290, 291, 292, 293, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334, 336),
        *(338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532),
        *(XMP, ICC_PROFILE, PHOTOSHOP_LAYERS),
    ]
)
#: Chunks of a PNG that are kept as they are: colour, time, resolution, text. EXIF, XMP and the profile are
#: written anew.
_KEPT_CHUNKS = (
    *(b"cHRM", b"gAMA", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"pHYs", b"tIME", b"tEXt", b"zTXt", b"iTXt"),
)
#: The beginnings of a JPEG's segments that are kept as they are: IPTC, the rest of a long XMP, and comments.
_KEPT_SEGMENTS = {
    "APP13": b"Photoshop 3.0\0",
    "APP1": b"http://ns.adobe.com/xmp/extension/\0",
    "COM": b"",
}
#: Numbers of the markers of these segments.
_MARKERS = {"APP1": 0xE1, "APP13": 0xED, "COM": 0xFE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Metadata of a photo."""

    exif: bytes = b""  #: a TIFF structure (EXIF 3.0, section 4.5), without the prefix that JPEG gives it
    xmp: bytes = b""
    icc: bytes = b""
    dpi: tuple[float, float] | None = None
    orientation: int = 1  #: EXIF's, from 1 to 8
    own: bytes = b""  #: segments or chunks that only files of the format it comes from can hold


def read_metadata(image: Image.Image, path: Path, kind: PhotoFormat) -> Metadata:
    """The metadata of an open file, whose samples are not loaded yet."""
    exif = image.getexif()
    orientation = exif.get(ORIENTATION, 1)
    info = image.info
    xmp = info.get("xmp", b"")
    raw = _tiff_exif(exif) if kind is TIFF else info.get("exif") or b""
    if kind is PNG and not raw and exif:  # in a text chunk, as ImageMagick writes it
        raw = exif.tobytes()
    own = b""
    if kind is PNG:
        own = b"".join(png_chunk(name, data) for name, data in _chunks(path) if _is_kept(name, data))
    elif kind is JPEG and isinstance(image, JpegImagePlugin.JpegImageFile):
        own = b"".join(
            bytes((0xFF, _MARKERS[name])) + struct.pack(">H", len(data) + 2) + data
            for name, data in image.applist
            if name in _KEPT_SEGMENTS and data.startswith(_KEPT_SEGMENTS[name])
        )
    return Metadata(
        exif=raw.removeprefix(b"Exif\0\0"),
        xmp=xmp.encode() if isinstance(xmp, str) else xmp,
        icc=info.get("icc_profile") or b"",
        dpi=info.get("dpi") if kind is not TIFF or _X_RESOLUTION in exif else None,  # else Pillow says 1
        orientation=orientation if orientation in range(1, 9) else 1,
        own=own,
    )


def exif_of(metadata: Metadata) -> Image.Exif:
    """The EXIF of a photo, to be read tag by tag."""
    exif = Image.Exif()
    if metadata.exif:
        exif.load(b"Exif\0\0" + metadata.exif)
    return exif


def _tiff_exif(exif: Image.Exif) -> bytes:
    """EXIF with all tags of a TIFF that do not describe its structure."""
    kept = Image.Exif()
    for tag in exif:
        if tag in TAGS_V2_GROUPS:
            kept.get_ifd(tag).update(exif.get_ifd(tag))
            kept[tag] = exif.get_ifd(tag)
        elif tag not in STRUCTURE:
            kept[tag] = exif[tag]
    return kept.tobytes() if len(kept) else b""


def enlarged_exif(exif: bytes, factor: int) -> bytes:
    """``exif`` with the numbers of pixels that it states, PixelXDimension and PixelYDimension, times
    ``factor``."""
    return _changed(exif, dict.fromkeys(_PIXEL_SIZES, lambda size: size * factor))


def upright_exif(exif: bytes) -> bytes:
    """``exif`` for samples that are stored upright."""
    return _changed(exif, {ORIENTATION: lambda orientation: 1})


def _changed(exif: bytes, changes: Mapping[int, Callable[[int], int]]) -> bytes:
    """``exif`` with the values of some tags, integers of its first or its own directory, replaced in their
    place; every other byte stays, since makers' notes hold positions in the file."""
    changed = bytearray(exif)
    order = "<" if exif[:2] == b"II" else ">"

    def visit(at: int) -> None:
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for start in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", exif, start)
            if tag == _EXIF_DIRECTORY and at == first:
                visit(*struct.unpack_from(f"{order}I", exif, start + 8))
            elif tag in changes and kind in _INTEGERS:
                form = order + _INTEGERS[kind]
                (value,) = struct.unpack_from(form, exif, start + 8)
                struct.pack_into(form, changed, start + 8, changes[tag](value))

    with suppress(struct.error):  # damaged, or none
        (first,) = struct.unpack_from(f"{order}I", exif, 4)
        visit(first)
    return bytes(changed)


def own_of_jpeg(metadata: Metadata) -> list[str]:
    """What only a JPEG can hold of the metadata of one, for messages."""
    markers, at = set[int](), 0
    while at + 4 <= len(metadata.own):
        _, marker, length = struct.unpack_from(">BBH", metadata.own, at)
        markers.add(marker)
        at += 2 + length
    found = []
    if markers & {_MARKERS["APP1"], _MARKERS["APP13"]}:
        found.append("its IPTC or extended XMP")
    if _MARKERS["COM"] in markers:
        found.append("its comment")
    return found


def own_of_png(metadata: Metadata) -> list[str]:
    """What only a PNG can hold of the metadata of one, for messages. A colour profile takes the place of its
    chromaticities and gamma, which say nothing if they are those of sRGB."""
    names, at = set[bytes](), 0
    while at + 8 <= len(metadata.own):
        (length,) = struct.unpack_from(">I", metadata.own, at)
        names.add(metadata.own[at + 4 : at + 8])
        at += length + 12
    found = []
    if names & {b"cICP", b"mDCV", b"cLLI"}:
        found.append("the colours and light that its chunks cICP, mDCV and cLLI state")
    if names & {b"gAMA", b"cHRM"} and b"sRGB" not in names and not metadata.icc:
        found.append("its gamma and chromaticities (gAMA, cHRM)")
    if names & {b"tEXt", b"zTXt", b"iTXt"}:
        found.append("its text chunks")
    return found


def png_chunks(metadata: Metadata) -> bytes:
    """The chunks that hold metadata in a PNG (PNG, third edition, section 11.3)."""
    chunks = metadata.own
    if metadata.icc:
        chunks = png_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)) + chunks
    if metadata.dpi and b"pHYs" not in chunks:
        per_metre = (round(value / 0.0254) for value in metadata.dpi)
        chunks += png_chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))
    if metadata.xmp:
        chunks += png_chunk(b"iTXt", _XMP_KEYWORD + b"\0\0\0\0\0" + metadata.xmp)
    if metadata.exif:
        chunks += png_chunk(b"eXIf", metadata.exif)
    return chunks


def _is_kept(name: bytes, data: bytes) -> bool:
    return name in _KEPT_CHUNKS and not data.startswith((_XMP_KEYWORD, b"Raw profile type"))


def png_chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _chunks(path: Path) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG that :data:`_KEPT_CHUNKS` names."""
    found = []
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name in _KEPT_CHUNKS:
                found.append((name, file.read(length)))
                length = 0
            file.seek(length + 4, 1)
    return found
