"""Writes photos: as much of the samples and metadata as the format of OUT can hold."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import IO, Any, cast

import cv2
import numpy as np
from PIL import Image

from ...errors import OutputError, UsageError
from .formats import AVIF, HEIF, JPEG, MOST_PIXELS, PNG, TIFF, WEBP, PhotoFormat, add_heif
from .metadata import own_of_jpeg, own_of_png, png_chunk, png_chunks, upright_exif
from .picture import Photo
from .tiff_file import write_tiff

#: Quality of lossy formats: no difference can be seen when switching between input and output.
_QUALITY = 95
#: Bytes of a JPEG's segment, less what precedes the metadata in it.
_JPEG_EXIF, _JPEG_XMP = 65533 - 6, 65533 - 29
#: Bytes of a PNG before its first optional chunk: signature and IHDR.
_PNG_HEAD = 33


def losses(photo: Photo, kind: PhotoFormat) -> tuple[str, ...]:
    """What a file of ``kind`` cannot hold of ``photo``, for messages."""
    lost = []
    if photo.bits == 16 and not kind.deep:
        lost.append("its 16 bits per sample, of which 8 are kept")
    if photo.alpha is not None and not kind.alpha:
        lost.append("its transparency")
    if kind is JPEG and len(photo.metadata.exif) > _JPEG_EXIF:
        lost.append("its EXIF, which is too long")
    if kind is JPEG and len(photo.metadata.xmp) > _JPEG_XMP:
        lost.append("its XMP, which is too long")
    if photo.kind is JPEG and kind is not JPEG:
        lost += own_of_jpeg(photo.metadata)
    if photo.kind is PNG and kind is not PNG:
        lost += own_of_png(photo.metadata)
    return tuple(lost)


def check_photo_size(out: Path, kind: PhotoFormat, size: tuple[int, int]) -> None:
    """Raise UsageError if no file of ``kind`` can have ``size`` (width, height)."""
    width, height = size
    if kind.longest and max(size) > kind.longest:
        raise UsageError(
            f"{out.name} would be {width}x{height}, and {kind.name} holds at most {kind.longest} pixels a "
            "side; choose .png or .tif, or a smaller --upscale"
        )
    if width * height > MOST_PIXELS:
        raise UsageError(
            f"{out.name} would be {width}x{height}, more than the {MOST_PIXELS // 10**6} million pixels that "
            "a photo may have; choose a smaller --upscale"
        )
    if kind is HEIF and not add_heif():
        raise UsageError("writing HEIC needs pillow-heif; install vidrestore[heif], or choose .png or .avif")


def is_lossless(photo: Photo, kind: PhotoFormat) -> bool:
    """Whether ``photo`` is written to a file of ``kind`` without loss: WebP is as lossless as its source."""
    return kind.lossless or (kind is WEBP and photo.lossless)


def write_photo(path: Path, photo: Photo, kind: PhotoFormat) -> None:
    """Write ``photo`` to ``path``, as a file of ``kind``. Raises OutputError or OSError."""
    samples, metadata = photo.samples(), photo.metadata
    if photo.alpha is not None and not kind.alpha:
        samples = samples[..., 0] if photo.is_grey else samples[..., :3]
    if samples.dtype == np.uint16 and not kind.deep:
        samples = ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind is TIFF:
        write_tiff(path, samples, metadata)
        return
    if kind is PNG:
        _write_png(
            path, samples, png_chunks(replace(metadata, own=metadata.own if photo.kind is PNG else b""))
        )
        return
    given: dict[str, Any] = {"quality": _QUALITY}
    if kind is JPEG:
        given |= _jpeg_options(photo)
        if photo.kind is JPEG:
            given["extra"] = metadata.own
    elif kind is WEBP:
        given |= {"lossless": True, "exact": True} if photo.lossless else {"method": 6}
    elif kind is AVIF:
        given |= {"subsampling": "4:0:0" if samples.ndim == 2 else "4:4:4"}
    elif kind is HEIF:
        given |= {"chroma": 444}
        # Readers of HEIC heed the container, which Pillow's plugin leaves as it is, and not EXIF.
        samples = _upright(samples, metadata.orientation)
        metadata = replace(metadata, exif=upright_exif(metadata.exif))
    exif = metadata.exif if kind is not JPEG or len(metadata.exif) <= _JPEG_EXIF else b""
    xmp = metadata.xmp if kind is not JPEG or len(metadata.xmp) <= _JPEG_XMP else b""
    given |= {name: value for name, value in (("icc_profile", metadata.icc), ("xmp", xmp)) if value}
    if exif:
        given["exif"] = b"Exif\0\0" + exif
    if metadata.dpi and kind is JPEG:
        given["dpi"] = tuple(metadata.dpi)
    try:
        Image.fromarray(np.ascontiguousarray(samples)).save(path, kind.name, **given)
    except (ValueError, RuntimeError, KeyError) as error:
        raise OutputError(f"{path.name} cannot be written as {kind.name}: {error}", repeats=True) from None


def _upright(samples: np.ndarray, orientation: int) -> np.ndarray:
    """``samples`` (H, W) or (H, W, C) as EXIF's ``orientation`` says that they are displayed."""
    if orientation in (5, 6, 7, 8):  # first exchange rows and columns
        samples = samples.swapaxes(0, 1)
    down = orientation in (3, 4, 7, 8)
    across = orientation in (2, 3, 6, 7)
    return samples[:: -1 if down else 1, :: -1 if across else 1]


def _jpeg_options(photo: Photo) -> dict[str, Any]:
    """The settings of the source where it is a JPEG, with steps no coarser than those of high quality."""
    if photo.jpeg is None:
        return {"subsampling": 0}
    settings = photo.jpeg
    fine = _high_quality_tables()
    tables = [list(map(min, fine[number], table)) for number, table in enumerate(settings.tables)]
    # With tables, a quality would scale them.
    given: dict[str, Any] = {"quality": -1, "qtables": tables, "progressive": settings.progressive}
    # What Pillow has no number for (4:4:0, 4:1:1) keeps all of its colours.
    given["subsampling"] = max(settings.subsampling, 0)
    return given


@cache
def _high_quality_tables() -> list[list[int]]:
    """The quantisation tables of high quality, for luma and chroma, as Pillow reads them."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", quality=_QUALITY)
    with Image.open(file) as image:
        return [list(table) for _, table in sorted(image.quantization.items())]  # pyright: ignore[reportAttributeAccessIssue]


def _write_png(path: Path, samples: np.ndarray, chunks: bytes) -> None:
    """Write a PNG, with ``chunks`` after its header."""
    if samples.dtype == np.uint16 and samples.ndim == 3:
        if samples.shape[2] == 2:
            path.write_bytes(_deep_grey_png(samples, chunks))
            return
        order = [2, 1, 0, 3][: samples.shape[2]]
        done, encoded = cv2.imencode(".png", np.ascontiguousarray(samples[..., order]))
        if not done:
            raise OutputError(f"{path.name} cannot be written as PNG", repeats=True)
        data = memoryview(encoded.tobytes())
        with path.open("wb") as file:
            file.writelines((data[:_PNG_HEAD], chunks, data[_PNG_HEAD:]))
        return
    with path.open("wb") as file:
        Image.fromarray(np.ascontiguousarray(samples)).save(cast(IO[bytes], _Inserting(file, chunks)), "PNG")


def _deep_grey_png(samples: np.ndarray, chunks: bytes) -> bytes:
    """A PNG of ``samples`` (H, W, 2), uint16: grey and alpha, which neither Pillow nor OpenCV writes. Each
    row is stored as what it differs by from the one above (PNG, third edition, 9.2: filter type 2)."""
    height, width, _ = samples.shape
    rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    stored = np.empty((height, 1 + rows.shape[1]), np.uint8)
    stored[:, 0] = 2
    stored[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=stored[1:, 1:])
    parts = (
        png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 4, 0, 0, 0)),
        chunks,
        png_chunk(b"IDAT", zlib.compress(stored.tobytes())),
        png_chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


class _Inserting(io.RawIOBase):
    """A file to write a PNG to, that inserts chunks after its header."""

    def __init__(self, file: Any, chunks: bytes) -> None:
        self._file, self._chunks, self._written = file, chunks, 0

    def write(self, data: Any) -> int:
        before, self._written = self._written, self._written + len(data)
        if before < _PNG_HEAD <= self._written:
            cut = _PNG_HEAD - before
            self._file.writelines((data[:cut], self._chunks, data[cut:]))
        else:
            self._file.write(data)
        return len(data)

    def writable(self) -> bool:
        return True
