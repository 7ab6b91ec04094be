"""Formats of photos: what each can hold, and which one a file is, by its content."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from ...errors import UsageError

#: Pixels of the largest photo, before and after enlarging.
MOST_PIXELS = 130_000_000
#: Bytes in which a file says what it is.
_HEAD = 64
#: Bytes of a PNG in which an animation must be announced, and names of its chunks before the samples.
_PNG = b"\x89PNG\r\n\x1a\n"
#: Names of files that are a series of JPEGs without a container.
_MOTION_JPEG = (".mjpeg", ".mjpg")
#: Major brands of the ISO base media file format (ISO/IEC 23008-12, MIAF) that are still pictures.
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2")


@dataclass(frozen=True, slots=True)
class PhotoFormat:
    """What a format can hold."""

    name: str  #: as people call it, and as Pillow does
    suffixes: tuple[str, ...]
    deep: bool = False  #: 16 bits per sample
    alpha: bool = True
    lossless: bool = False  #: always; WebP may be either
    longest: int | None = None  #: side in pixels


JPEG = PhotoFormat("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), alpha=False, longest=65500)
PNG = PhotoFormat("PNG", (".png",), deep=True, lossless=True)
TIFF = PhotoFormat("TIFF", (".tif", ".tiff"), deep=True, lossless=True)
WEBP = PhotoFormat("WEBP", (".webp",), longest=16383)
HEIF = PhotoFormat("HEIF", (".heic", ".heif"))
AVIF = PhotoFormat("AVIF", (".avif",))
#: Read as a photo if it has one picture; never written.
GIF = PhotoFormat("GIF", ())

#: The formats that are written, by the extension of a file.
SUFFIXES = {suffix: written for written in (JPEG, PNG, TIFF, WEBP, HEIF, AVIF) for suffix in written.suffixes}


def format_by_name(path: Path) -> PhotoFormat:
    """The format that the name of a file stands for. Raises UsageError."""
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{path.name!r} does not have the extension of a photo; use one of .jpg, .png, .tif, .webp, "
            ".avif or .heic"
        ) from None


def photo_format(path: Path) -> PhotoFormat | None:
    """The format of the photo in a file, by its content; None for a video, an animation, several files under
    one pattern, and whatever cannot be read."""
    if path.suffix.lower() in _MOTION_JPEG:
        return None
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError):  # ValueError: a NUL character
        return None
    if head[:3] == b"\xff\xd8\xff":
        return JPEG
    if head[:8] == _PNG:
        return None if _moves(path, "PNG") else PNG
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return TIFF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        # RFC 9649, section 2.7.1: the flag of an animation.
        return None if head[12:16] == b"VP8X" and head[20:21] and head[20] & 2 else WEBP
    if head[:4] == b"GIF8":
        return None if _moves(path, "GIF") else GIF
    if head[4:8] == b"ftyp":
        return HEIF if head[8:12] in _HEIF_BRANDS else AVIF if head[8:12] == b"avif" else None
    return None


def add_heif() -> bool:
    """Let Pillow read and write HEIC if pillow-heif is installed. Returns whether it is."""
    if find_spec("pillow_heif") is None:
        return False
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False)
    return True


def _moves(path: Path, name: str) -> bool:
    """Whether a file of Pillow's format ``name`` is an animation."""
    with (
        suppress(OSError, ValueError, SyntaxError, Image.DecompressionBombError),
        warnings.catch_warnings(action="ignore"),  # of sizes that are allowed here, or refused later
        Image.open(path, formats=[name]) as image,
    ):
        return bool(getattr(image, "is_animated", False))
    return False
