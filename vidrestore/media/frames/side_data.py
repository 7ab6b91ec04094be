"""What a decoded frame carries besides its colours: captions, user data, metadata, transparency.

PyAV's side data points into the frame, and is no longer valid once the frame was made writable. So it is read
once, right after decoding.
"""

from __future__ import annotations

import struct
from typing import Any

import av
from av.sidedata.sidedata import SideDataContainer

from .pixel_format import planar_format, plane_views

#: Of the 720 pixels of a line of standard definition, those that lie within an analogue one (BT.601).
_ACTIVE_LINE = 702 / 720
#: AV_STEREO3D_UNSPEC, which encoders do not write.
_UNSPECIFIED_STEREO = 8
#: UUIDs of the user data in which x264 and x265 note their own settings, which are wrong for OUT.
_ENCODER_SETTINGS = (
    bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef"),
    bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e"),
)
CAPTIONS, USER_DATA = "closed captions", "user data (SEI)"
SECOND_LAYER = "second view, which lies in a layer of its own (MV-HEVC)"
STEREO, SPHERICAL = "stereo 3D arrangement", "spherical mapping"
TRANSPARENCY = "transparency"
#: Timecodes that do not follow from that of the first frame, which every container holds.
TIMECODES, GOP_TIMECODES = "timecodes of single frames", "timecodes of groups of pictures"
PAN_SCAN, PAN_SCAN_SIZE = "pan-scan offsets", "pan-scan window"
#: Names for messages, by FFmpeg's type of frame side data. Left out are what belongs to decoding,
#: what OUT keeps with every encoder, and timecodes, which a container keeps if they follow from the first.
_NAMES = {
    "A53_CC": CAPTIONS,
    "SEI_UNREGISTERED": USER_DATA,
    "STEREO3D": STEREO,
    "SPHERICAL": SPHERICAL,
    "AFD": "active format description (AFD)",
    "ICC_PROFILE": "ICC profile",
    "EXIF": "Exif metadata",
    "FILM_GRAIN_PARAMS": "film grain parameters",
    "AMBIENT_VIEWING_ENVIRONMENT": "ambient viewing environment",
    "DYNAMIC_HDR_PLUS": "HDR10+ metadata",
    "DYNAMIC_HDR_VIVID": "HDR Vivid metadata",
    "DOVI_METADATA": "Dolby Vision metadata",
    "DOVI_RPU_BUFFER": "Dolby Vision metadata",
    "LCEVC": "enhancement layer (LCEVC)",
    "3D_REFERENCE_DISPLAYS": "reference displays of stereo 3D",
}


def side_data_of(frame: av.VideoFrame) -> SideDataContainer:
    """The side data of a frame. PyAV's ``frame.side_data`` keeps it in the frame to which it refers: the
    picture would stay in memory until Python looks for such circles, which takes hundreds of frames."""
    return SideDataContainer(frame)  # pyright: ignore[reportCallIssue]  # PyAV's stubs lack the parameter


def display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    """Rotation and flips of a decoded frame: 9 numbers in FFmpeg's fixed point; None if it has none."""
    matrix = side_data_of(frame).get("DISPLAYMATRIX")
    return struct.unpack("=9i", bytes(matrix)) if matrix else None


def is_mirrored(matrix: tuple[int, ...] | None) -> bool:
    """Whether a display matrix mirrors: its determinant is negative."""
    return matrix is not None and matrix[0] * matrix[4] < matrix[1] * matrix[3]


def carried(frame: av.VideoFrame) -> frozenset[str]:
    """The kinds of side data of a planar frame as it was decoded, by the names that messages use."""
    data: Any = side_data_of(frame)  # PyAV's stubs lack its items by index
    entries = [data[index] for index in range(len(data))]
    kinds = frozenset(
        _NAMES[entry.type.name]
        for entry in entries
        if entry.type.name in _NAMES and not _is_void(entry.type.name, bytes(entry))
    )
    if window := data.get("PANSCAN"):
        kinds |= _pan_scan(bytes(window), frame.width, frame.height)
    return kinds | {TRANSPARENCY} if _is_transparent(frame) else kinds


def _pan_scan(content: bytes, width: int, height: int) -> frozenset[str]:
    """What AVPanScan says about a narrower screen. Every frame of MPEG-2 has one: mostly it says nothing, or
    what part of a line was analogue. Its units are sixteenths of a pixel."""
    _, window_width, window_height, *offsets = struct.unpack("=3i6h", content)
    if not window_width or not window_height:
        return frozenset()
    narrow = window_width / 16 < _ACTIVE_LINE * width or window_height / 16 < height
    return frozenset({PAN_SCAN_SIZE} if narrow else ()) | ({PAN_SCAN} if any(offsets) else set())


def leave_stereo_to_container(frame: av.VideoFrame) -> None:
    """Take the arrangement of two views out of a frame as it was decoded, so that no encoder writes it:
    FFmpeg 9 cannot decode a file that states it twice."""
    if data := side_data_of(frame).get("STEREO3D"):
        memoryview(data)[:4] = struct.pack("=i", _UNSPECIFIED_STEREO)


def _is_transparent(frame: av.VideoFrame) -> bool:
    """Whether a pixel is not opaque. Some decoders, as of GIF, give every frame an alpha plane."""
    form = planar_format(frame.format.name)
    return form.has_alpha and int(plane_views(frame)[-1].min()) < (1 << form.bits) - 1


def _is_void(kind: str, content: bytes) -> bool:
    """Whether it says nothing that OUT should keep."""
    if kind == "SEI_UNREGISTERED":
        return content[:16] in _ENCODER_SETTINGS
    return kind == "STEREO3D" and content[:4] == bytes(4)  # AV_STEREO3D_2D
