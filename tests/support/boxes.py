"""Boxes of MP4 that no tool here writes, added to a video track as files of cameras have them."""

from __future__ import annotations

import struct
from pathlib import Path

_PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")


def box(kind: bytes, content: bytes) -> bytes:
    """A box."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def spherical(projection: bytes = b"equi") -> bytes:
    """Spherical video, version 2: ``equi`` (equirectangular), ``cbmp`` (cubemap) or ``mshp`` (mesh)."""
    content = (
        struct.pack(">I", 0) + {b"equi": bytes(16), b"cbmp": bytes(8), b"mshp": bytes(range(50))}[projection]
    )
    projected = box(b"prhd", bytes(16)) + box(projection, content)
    return box(b"sv3d", box(b"svhd", bytes(4) + b"test\0") + box(b"proj", projected))


def stereo(mode: int) -> bytes:
    """Stereo 3D video: 1 top and bottom, 2 side by side."""
    return box(b"st3d", struct.pack(">IB", 0, mode))


def cropping(width: int, height: int) -> bytes:
    """A clean aperture of that size in the middle of the picture."""
    return box(b"clap", struct.pack(">8I", width, 1, height, 1, 0, 1, 0, 1))


def add_boxes(source: Path, out: Path, *boxes: bytes) -> Path:
    """Append boxes to the entry of the first sample description of an MP4 whose index is at its end."""
    data, extra = bytearray(source.read_bytes()), b"".join(boxes)
    _extend(data, 0, len(data), _PATH, extra)
    out.write_bytes(data)
    return out


def _extend(data: bytearray, start: int, end: int, path: tuple[bytes, ...], extra: bytes) -> None:
    while start < end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if not path or kind == path[0]:
            if path:
                head = 16 if kind == b"stsd" else 8
                _extend(data, start + head, start + size, path[1:], extra)
            else:
                data[start + size : start + size] = extra
            struct.pack_into(">I", data, start, size + len(extra))
            return
        start += size
    raise ValueError("no such box")
