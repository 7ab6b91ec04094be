"""How a container asks players to show a video: spherical projection, stereo 3D and cropping.

PyAV does not show these parameters of a stream. FFmpeg reads them from every container, and its Matroska
muxer writes them, so they are read from the header of a Matroska file without frames, written to memory. Only
meshes (VR180), and whether there is a second layer, are read from the file itself.
"""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import av.error
from av.bitstream import BitStreamFilterContext
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from .containers import Container
from .ebml import Element, Id, find, read_element, read_header, unsigned
from .frames.side_data import side_data_of
from .spherical import (
    CUBEMAP,
    EQUIRECTANGULAR,
    MESH,
    has_second_layer,
    mesh_of_matroska,
    mesh_of_track,
    projection_type,
    spherical_box,
    stereo_box,
)

#: Of Matroska's projections, the one of an ordinary flat picture.
_RECTANGULAR = 0
_PROJECTIONS = {EQUIRECTANGULAR: "equirectangular", CUBEMAP: "cubemap", MESH: "mesh"}
#: Pixels that are not shown at the top, bottom, left and right.
CROPPING = (Id.PIXEL_CROP_TOP, Id.PIXEL_CROP_BOTTOM, Id.PIXEL_CROP_LEFT, Id.PIXEL_CROP_RIGHT)
#: Matroska's StereoMode (RFC 9559, section 5.1.4.1.28.3) by FFmpeg's AVStereo3DType: without and with the
#: flag that swaps the views.
_STEREO_MODES = {1: (1, 11), 2: (3, 2), 4: (5, 4), 6: (7, 6), 7: (9, 8)}
_STEREO_NAMES = {
    1: "side by side",
    2: "top and bottom",
    3: "top and bottom",
    4: "checkerboard",
    5: "checkerboard",
    6: "interleaved rows",
    7: "interleaved rows",
    8: "interleaved columns",
    9: "interleaved columns",
    11: "side by side",
}


@dataclass(frozen=True)
class Presentation:
    """What a container says about showing a video's pictures, besides their aspect ratio and rotation."""

    projection: bytes = b""  #: content of Matroska's element Projection; empty for flat pictures
    stereo_mode: int | None = None  #: Matroska's StereoMode of pictures that hold two views
    cropping: tuple[int, int, int, int] = (0, 0, 0, 0)  #: pixels not shown at the top, bottom, left and right
    second_layer: bool = False  #: the other view of a stereo video (MV-HEVC), which is not decoded

    @property
    def projection_name(self) -> str | None:
        """The kind of spherical projection, for people; None for flat pictures."""
        return _PROJECTIONS.get(projection_type(self.projection), "unknown") if self.projection else None

    @property
    def stereo_name(self) -> str | None:
        """The arrangement of two views, for people; None if there is one view."""
        return _STEREO_NAMES.get(self.stereo_mode, str(self.stereo_mode)) if self.stereo_mode else None

    @property
    def elements(self) -> list[Element]:
        """The same as elements of Matroska's element Video."""
        elements = [unsigned(id, value) for id, value in zip(CROPPING, self.cropping, strict=True) if value]
        if self.projection:
            elements.append(Element(Id.PROJECTION, self.projection))
        if self.stereo_mode:
            elements.append(unsigned(Id.STEREO_MODE, self.stereo_mode))
        return elements

    def held_by(self, container: Container) -> Presentation:
        """What ``container`` can hold of it."""
        projection = self.projection if projection_type(self.projection) in container.projections else b""
        stereo_mode = self.stereo_mode if self.stereo_mode in container.stereo_modes else None
        return Presentation(projection, stereo_mode, self.cropping)

    def boxes(self, container: Container) -> bytes:
        """The boxes that FFmpeg does not write into a file of ``container``."""
        held, boxes = self.held_by(container), b""
        if projection_type(held.projection) in container.patched_projections:
            boxes += spherical_box(held.projection)
        if held.stereo_mode in container.patched_stereo_modes:
            boxes += stereo_box(held.stereo_mode)
        return boxes

    def lost_in(self, container: Container) -> str | None:
        """What ``container`` cannot hold of it, for messages; None if nothing."""
        held = self.held_by(container)
        return str(replace(self, cropping=(0, 0, 0, 0))) if held != self else None

    def __str__(self) -> str:
        parts = []
        if self.projection:
            parts.append(f"{self.projection_name} projection")
        if self.stereo_mode:
            parts.append(f"stereo 3D, {self.stereo_name}")
        if self.second_layer:
            parts.append("stereo 3D, the second view in a layer of its own")
        if any(self.cropping):
            top, bottom, left, right = self.cropping
            parts.append(f"cropped by {top} at the top, {bottom} at the bottom, {left} left, {right} right")
        return ", ".join(parts)


def read_presentation(stream: VideoStream, frame: VideoFrame | None = None) -> Presentation:
    """Read it from a stream of an open file, and the arrangement of a stereo video from its first frame,
    where H.264 and HEVC have it."""
    settings = _video_settings(stream)
    projection = find(settings, Id.PROJECTION)
    if projection_type(projection) == _RECTANGULAR:
        projection = b""  # only says how the picture is rotated
    mesh, second_layer = _read_from_file(stream)
    stereo_mode = int.from_bytes(find(settings, Id.STEREO_MODE)) or (_stereo_mode(frame) if frame else None)
    top, bottom, left, right = (int.from_bytes(find(settings, id)) for id in CROPPING)
    return Presentation(projection or mesh, stereo_mode or None, (top, bottom, left, right), second_layer)


def _read_from_file(stream: VideoStream) -> tuple[bytes, bool]:
    """What FFmpeg does not read: a mesh, as the content of Projection, and whether there is a second
    layer."""
    container = stream.container
    formats = container.format.name.split(",")
    # A name may be a pattern of numbered images; a damaged file holds anything.
    with suppress(OSError, ValueError, struct.error), open(container.name, "rb") as file:
        if "mp4" in formats:
            return mesh_of_track(file, stream.id), has_second_layer(file, stream.id)
        if "matroska" in formats:
            cover = Disposition.attached_pic
            videos = [video.index for video in container.streams.video if cover not in video.disposition]
            return mesh_of_matroska(file, videos.index(stream.index)), False
    return b"", False


def _video_settings(stream: VideoStream) -> list[Element]:
    """The elements in the element Video of a Matroska file with that stream; none if FFmpeg cannot write
    it."""
    memory = io.BytesIO()
    try:
        with av.open(memory, "w", format="matroska") as output:
            target = output.add_mux_stream("h264", rate=Fraction(25))  # any codec: all parameters are copied
            target.time_base = stream.time_base
            BitStreamFilterContext("null", stream, target)
            output.start_encoding()
        memory.seek(0)
        read_element(memory)  # EBML
        read_header(memory)  # of Segment
        while (element := read_element(memory)).id != Id.TRACKS:
            pass
        return _children(find(_children(find(element.children(), Id.TRACK_ENTRY)), Id.VIDEO))
    except (av.error.FFmpegError, ValueError):
        return []


def _children(content: bytes) -> list[Element]:
    return Element(Id.SEGMENT, content).children()


def _stereo_mode(frame: VideoFrame) -> int | None:
    """The arrangement of the two views in a frame, from AVStereo3D: its type and flags."""
    data = side_data_of(frame).get("STEREO3D")
    if not data:
        return None
    kind, flags = struct.unpack_from("=2i", bytes(data))
    return _STEREO_MODES[kind][flags & 1] if kind in _STEREO_MODES else None
