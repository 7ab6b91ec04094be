"""How a container asks players to show a video: spherical projection, stereo 3D and cropping.

PyAV does not show these parameters of a stream. FFmpeg reads them from every container, and its Matroska
muxer writes them, so they are read from the header of a Matroska file without frames, written to memory.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import av.error
from av.bitstream import BitStreamFilterContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from .containers import Container
from .ebml import Element, Id, find, read_element, read_header, unsigned

#: Of Matroska's projections, the one of an ordinary flat picture.
_RECTANGULAR = 0
_PROJECTIONS = {1: "equirectangular", 2: "cubemap"}
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
        projection = self.projection if _kind(self.projection) in container.projections else b""
        stereo_mode = self.stereo_mode if self.stereo_mode in container.stereo_modes else None
        return Presentation(projection, stereo_mode, self.cropping)

    def lost_in(self, container: Container) -> str | None:
        """What ``container`` cannot hold of it, for messages; None if nothing."""
        held = self.held_by(container)
        return str(replace(self, cropping=(0, 0, 0, 0))) if held != self else None

    def __str__(self) -> str:
        parts = []
        if self.projection:
            parts.append(f"{_PROJECTIONS.get(_kind(self.projection), 'spherical')} projection")
        if self.stereo_mode:
            parts.append(f"stereo 3D, {_STEREO_NAMES.get(self.stereo_mode, self.stereo_mode)}")
        if any(self.cropping):
            top, bottom, left, right = self.cropping
            parts.append(f"cropped by {top} at the top, {bottom} at the bottom, {left} left, {right} right")
        return ", ".join(parts)


def read_presentation(stream: VideoStream, frame: VideoFrame | None = None) -> Presentation:
    """Read it from a stream of an open file, and the arrangement of a stereo video from its first frame,
    where H.264 and HEVC have it."""
    settings = _video_settings(stream)
    projection = find(settings, Id.PROJECTION)
    if _kind(projection) == _RECTANGULAR:
        projection = b""  # only says how the picture is rotated
    stereo_mode = int.from_bytes(find(settings, Id.STEREO_MODE)) or (_stereo_mode(frame) if frame else None)
    top, bottom, left, right = (int.from_bytes(find(settings, id)) for id in CROPPING)
    return Presentation(projection, stereo_mode or None, (top, bottom, left, right))


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


def _kind(projection: bytes) -> int:
    """The number of a projection, ProjectionType, from the content of Projection."""
    return int.from_bytes(find(_children(projection), Id.PROJECTION_TYPE))


def _children(content: bytes) -> list[Element]:
    return Element(Id.SEGMENT, content).children()


def _stereo_mode(frame: VideoFrame) -> int | None:
    """The arrangement of the two views in a frame, from AVStereo3D: its type and flags."""
    data = frame.side_data.get("STEREO3D")
    if not data:
        return None
    kind, flags = struct.unpack_from("=2i", bytes(data))
    return _STEREO_MODES[kind][flags & 1] if kind in _STEREO_MODES else None
