"""Projections of spherical video that FFmpeg does not read or write, between MP4, QuickTime and Matroska.

Spherical Video RFC, version 2: a projection is the box ``sv3d`` in MP4. In Matroska it is the element
Projection, whose ProjectionPrivate is the content of the box of that projection: this package holds it so.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from .boxes import box, boxes_at, sample_boxes, tracks
from .ebml import Element, Id, find, floating, read_element, read_header, unsigned

EQUIRECTANGULAR, CUBEMAP, MESH = 1, 2, 3
#: The box of each projection, and its content if ProjectionPrivate is missing.
_BOXES = {EQUIRECTANGULAR: (b"equi", bytes(20)), CUBEMAP: (b"cbmp", bytes(12)), MESH: (b"mshp", bytes(12))}
_POSE = (Id.PROJECTION_POSE_YAW, Id.PROJECTION_POSE_PITCH, Id.PROJECTION_POSE_ROLL)
#: QuickTime's stereo mode (``st3d``) by Matroska's.
_STEREO = {1: 2, 2: 1, 3: 1, 11: 2}
_VIDEO_TRACK = b"\x01"
#: Bytes of a list of tracks or a mesh, and elements before the list of tracks, more than any file has.
_MAX_SIZE, _MAX_ELEMENTS = 1 << 24, 1000


def projection_type(projection: bytes) -> int:
    """The number of a projection (ProjectionType), from the content of Projection."""
    return int.from_bytes(find(_children(projection), Id.PROJECTION_TYPE))


def mesh_of_track(file: BinaryIO, track_id: int) -> bytes:
    """The content of Matroska's Projection for the mesh of a track of an MP4; nothing if it has none."""
    for kind, place in _sample_boxes(file, track_id):
        if kind == b"sv3d":
            return b"".join(_mesh(file, projection) for projection in boxes_at(file, place, b"proj"))
    return b""


def has_second_layer(file: BinaryIO, track_id: int) -> bool:
    """Whether a track of an MP4 has a second view in a layer of its own (MV-HEVC, box ``lhvC``)."""
    return any(kind == b"lhvC" for kind, _ in _sample_boxes(file, track_id))


def mesh_of_matroska(file: BinaryIO, number: int) -> bytes:
    """The content of Projection of video track ``number`` of a Matroska file if it is a mesh, else nothing.
    Raises ValueError if the file has another structure."""
    file.seek(0)
    read_element(file)  # EBML
    read_header(file)  # of Segment
    entries = [entry.children() for entry in _children(_tracks(file)) if entry.id == Id.TRACK_ENTRY]
    videos = [entry for entry in entries if find(entry, Id.TRACK_TYPE) == _VIDEO_TRACK]
    projection = find(_children(find(videos[number], Id.VIDEO)), Id.PROJECTION) if videos[number:] else b""
    return projection if projection_type(projection) == MESH else b""


def _tracks(file: BinaryIO) -> bytes:
    """The content of the list of tracks, if it precedes the first cluster; ``file`` is at the beginning of
    Segment."""
    for _ in range(_MAX_ELEMENTS):
        id, size, _ = read_header(file)
        if id == Id.TRACKS and size <= _MAX_SIZE:
            return file.read(size)
        if id == Id.CLUSTER:
            break
        file.seek(size, 1)
    return b""


def spherical_box(projection: bytes) -> bytes:
    """The box ``sv3d`` of a projection."""
    elements = _children(projection)
    kind, default = _BOXES[projection_type(projection)]
    pose = struct.pack(">I3i", 0, *(round(_number(find(elements, id)) * 65536) for id in _POSE))
    content = box(kind, find(elements, Id.PROJECTION_PRIVATE) or default)
    return box(b"sv3d", box(b"svhd", bytes(5)), box(b"proj", box(b"prhd", pose), content))


def stereo_box(mode: int) -> bytes:
    """The box ``st3d`` of an arrangement of two views, by Matroska's number of it."""
    return box(b"st3d", struct.pack(">IB", 0, _STEREO[mode]))


def _mesh(file: BinaryIO, projection: tuple[int, int]) -> bytes:
    """The content of Projection for the box ``proj`` at that place if it is a mesh, else nothing."""
    found = next(boxes_at(file, projection, b"mshp"), None)
    if found is None:
        return b""
    elements = [unsigned(Id.PROJECTION_TYPE, MESH), Element(Id.PROJECTION_PRIVATE, _read(file, found))]
    for place in boxes_at(file, projection, b"prhd"):
        angles = struct.unpack_from(">3i", _read(file, place), 4)
        elements += [floating(id, angle / 65536) for id, angle in zip(_POSE, angles, strict=True) if angle]
    return b"".join(element.encode() for element in elements)


def _sample_boxes(file: BinaryIO, track_id: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """The kind and the place of each box in the sample description of a video track."""
    for track in tracks(file):
        if _track_id(file, track) == track_id:
            yield from ((kind, (start, end)) for kind, start, end in sample_boxes(file, track))


def _track_id(file: BinaryIO, track: tuple[int, int]) -> int | None:
    """The number of a track in its header (``tkhd``), behind two dates of 4 bytes, or 8 in version 1."""
    for place in boxes_at(file, track, b"tkhd"):
        header = _read(file, place)
        return int.from_bytes(header[20:24] if header[0] else header[12:16])
    return None


def _read(file: BinaryIO, place: tuple[int, int]) -> bytes:
    start, end = place
    file.seek(start)
    return file.read(min(end - start, _MAX_SIZE))


def _children(content: bytes) -> list[Element]:
    return Element(Id.SEGMENT, content).children()


def _number(content: bytes) -> float:
    """An EBML floating-point number."""
    return struct.unpack(">d" if len(content) == 8 else ">f", content)[0] if content else 0.0
