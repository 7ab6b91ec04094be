"""What of a photo's file is not read: further pictures, layers, bits and colours, and what lies behind it."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from ..frames.code_points import colour_names
from .formats import AVIF, GIF, HEIF, JPEG, TIFF, PhotoFormat
from .heif_items import Coding, primary_coding
from .metadata import PHOTOSHOP_LAYERS

#: Numbers of transfer functions and primaries (H.273, tables 2 and 3) that show as sRGB does, or say nothing.
_SRGB_TRANSFERS, _SRGB_PRIMARIES = (1, 2, 6, 13, 14, 15), (1, 2)
#: A marker of a JPEG among its coded samples, but for those that restart the coder (T.81, section B.1.1).
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]", re.DOTALL)
#: The beginning of an MP4: a short box ``ftyp``.
_MP4 = re.compile(rb"\0\0\0[\x08-\xff]ftyp", re.DOTALL)
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


def left_out(image: Image.Image, path: Path, kind: PhotoFormat) -> tuple[str, ...]:
    """What is lost of an open file by reading it, for messages."""
    lost = []
    count = getattr(image, "n_frames", 1)
    if count > 1 and kind is not AVIF:
        lost.append(f"all but the first of its {count} pictures")
    if kind is TIFF and PHOTOSHOP_LAYERS in image.getexif():
        lost.append("its Photoshop layers")
    if kind is JPEG and (behind := _behind_jpeg(path.read_bytes(), single=count == 1)):
        lost.append(behind)
    if kind is GIF and image.info.get("comment"):
        lost.append("its comment")
    if kind is HEIF and image.info.get("depth_images"):
        lost.append("its depth map")
    if kind in (AVIF, HEIF):
        coding = primary_coding(path)
        bits = max(coding.bits, image.info.get("bit_depth", 8))
        if bits > 8:
            lost.append(f"the {bits} bits of its samples, which are read as 8")
        if image.info.get("aux"):
            lost.append("its auxiliary pictures, such as a gain map of HDR")
        elif coding.has_gain_map:
            lost.append("its gain map of HDR")
        if not image.info.get("icc_profile") and (colours := _colours(coding)):
            lost.append(f"its colours ({colours}), which are taken for sRGB")
    return tuple(lost)


def _colours(coding: Coding) -> str:
    """The names of primaries and transfer function that are not those of sRGB; empty if they are."""
    names = colour_names(colour_range=0, matrix=2, primaries=coding.primaries, transfer=coding.transfer)
    parts = []
    if coding.primaries not in _SRGB_PRIMARIES:
        parts.append(f"primaries {names['primaries'] or coding.primaries}")
    if coding.transfer not in _SRGB_TRANSFERS:
        parts.append(f"transfer {names['transfer'] or coding.transfer}")
    return ", ".join(parts)


def _behind_jpeg(data: bytes, *, single: bool) -> str:
    """What lies behind the first picture of a JPEG, ``data``; empty if that is nothing, or pictures that are
    known already as it is not a ``single`` one. Padding is nothing."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF or data[at + 1] == 0xFF:  # filled up, or damaged
            at += 1
            continue
        if data[at + 1] == _END_OF_IMAGE:
            break
        scan = data[at + 1] == _START_OF_SCAN
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
        if scan:
            found = _MARKER.search(data, at)
            if found is None:
                return ""
            at = found.start()
    behind = data[at + 2 :].strip(b"\0\xff")
    if _MP4.search(behind):
        return "the video behind its picture, as of a motion photo"
    return f"{len(behind)} bytes behind its picture" if single and behind else ""
