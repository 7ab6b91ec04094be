"""Differences between versions of PyAV."""

from __future__ import annotations

from typing import Any

import av
from av.sidedata.sidedata import Type

_MAJOR = int(av.__version__.partition(".")[0])

#: Arguments for ``av.open`` to keep metadata that is not UTF-8, as in many old files, byte for byte. PyAV 19
#: always does, and no longer has the argument.
KEEP_METADATA: dict[str, Any] = {"metadata_errors": "surrogateescape"} if _MAJOR < 19 else {}

#: FFmpeg 8's types of frame side data that PyAV 18 has no names for.
_LATER_SIDE_DATA = {28: "LCEVC", 29: "VIEW_ID", 30: "3D_REFERENCE_DISPLAYS", 31: "EXIF"}


def _unknown_type(cls: type[Type], value: int) -> Type:
    """A member for a type of side data that PyAV does not know, by its number."""
    member = object.__new__(cls)
    member._name_, member._value_ = _LATER_SIDE_DATA.get(value, f"UNKNOWN_{value}"), value
    return member


# By itself PyAV raises ValueError for all side data of a frame if there is an unknown type among it, such as
# the Exif metadata of a photo.
Type._missing_ = classmethod(_unknown_type)  # pyright: ignore[reportAttributeAccessIssue]
