"""Streams that a file does not list: FFmpeg learns of them where they begin.

Program streams (VOB) and FLV have no list of their streams, and that of transport streams may change. What
FFmpeg does not find when it opens a file, PyAV never knows.
"""

from __future__ import annotations

import re

import av.logging
from av.container import InputContainer

#: FFmpeg's names of the formats.
_FORMATS = ("mpeg", "mpegts", "flv")
#: How far such a file is read when it is opened: bytes, and microseconds of its own time. FFmpeg keeps in
#: memory what it reads; subtitles of a disc often begin a minute after the film, of up to 10 Mbit/s.
FURTHER = {"probesize": "100000000", "analyzeduration": "120000000"}

_STREAM = re.compile(r"^ *Stream #0:(\d+)(?:\[\w+\])?(?:\(\w+\))?: (.*?)(?:, start [-\d.]+)?$", re.MULTILINE)


def may_gain_streams(container: InputContainer) -> bool:
    """Whether streams may begin in an open file that were not known when it was opened."""
    return container.format.name in _FORMATS


def late_streams(container: InputContainer) -> list[str]:
    """What FFmpeg says of the streams of an open file that began where it was read since it was opened."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)  # PyAV takes the description from FFmpeg's log
    try:
        text: str = container.dumps_format()  # pyright: ignore[reportAttributeAccessIssue]  # not in stubs
    finally:
        av.logging.set_level(level)
    return [
        f"#{number} {what}" for number, what in _STREAM.findall(text) if int(number) >= len(container.streams)
    ]
