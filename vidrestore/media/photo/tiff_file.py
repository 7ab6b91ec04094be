"""Writes a TIFF of 8 or 16 bits per sample with all metadata, which no library at hand does."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from PIL.TiffTags import TAGS_V2_GROUPS, UNDEFINED

from .metadata import ICC_PROFILE, STRUCTURE, XMP, Metadata, exif_of

#: Bytes of a strip before it is compressed.
_STRIP = 1 << 20
_DEFLATE, _BY_DIFFERENCES, _UNASSOCIATED = 8, 2, 2
_MIN_IS_BLACK, _RGB = 1, 2


def write_tiff(path: Path, samples: np.ndarray, metadata: Metadata) -> None:
    """Write ``samples`` (height, width) grey, or (height, width, C) grey with alpha, RGB or RGBA, uint8 or
    uint16, compressed without loss (TIFF 6.0; Deflate and its predictor are in Adobe's supplement 2)."""
    samples = samples[..., None] if samples.ndim == 2 else samples
    height, width, channels = samples.shape
    rows = max(1, _STRIP // (width * channels * samples.itemsize))
    strips = [_compressed(samples[y : y + rows]) for y in range(0, height, rows)]
    ifd = ImageFileDirectory_v2(prefix=b"II")
    exif = exif_of(metadata)
    for tag in exif:
        if tag in TAGS_V2_GROUPS:
            ifd[tag] = exif.get_ifd(tag)
        elif tag not in STRUCTURE:
            ifd[tag] = exif[tag]
    if metadata.dpi and 282 not in ifd:
        ifd[282], ifd[283], ifd[296] = *map(float, metadata.dpi), 2
    for tag, data in ((XMP, metadata.xmp), (ICC_PROFILE, metadata.icc)):
        if data:
            ifd.tagtype[tag] = UNDEFINED if tag == ICC_PROFILE else 1
            ifd[tag] = data
    lengths = [len(strip) for strip in strips]
    ifd[256], ifd[257] = width, height
    ifd[258] = (samples.itemsize * 8,) * channels
    ifd[259], ifd[317], ifd[284] = _DEFLATE, _BY_DIFFERENCES, 1
    ifd[262] = _MIN_IS_BLACK if channels < 3 else _RGB
    ifd[277], ifd[278] = channels, rows
    if channels in (2, 4):
        ifd[338] = (_UNASSOCIATED,)
    ifd.tagtype[273] = ifd.tagtype[279] = 4
    # Counted from the end of the directory: Pillow adds that.
    ifd[273] = tuple(np.cumsum([0, *lengths[:-1]]).tolist())
    ifd[279] = tuple(lengths)
    with path.open("wb") as file:
        ifd.save(file)
        file.writelines(strips)


def _compressed(rows: np.ndarray) -> bytes:
    """``rows`` (H, W, C), each sample but the first of a row replaced by its difference from the one
    before."""
    different = rows.copy()
    different[:, 1:] -= rows[:, :-1]
    return zlib.compress(different.astype(different.dtype.newbyteorder("<")).tobytes(), 6)
