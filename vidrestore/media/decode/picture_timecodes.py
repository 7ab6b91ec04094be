"""Timecodes that pictures themselves carry: those of single frames in H.264 and HEVC (SMPTE ST 12-1), and
those of MPEG-2's groups of pictures."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import NamedTuple

from av.video.frame import VideoFrame

from ..frames.frame import presentation_time
from ..frames.side_data import GOP_TIMECODES, TIMECODES, side_data_of
from ..timecode import frames_between, timecode_at

#: Frames per second up to which a timecode numbers each frame, and not every second one (ST 12-1, clause 12).
_NUMBERED = 30
_MIDNIGHT = "00:00:00:00"


class _Timecode(NamedTuple):
    text: str
    of_group: bool  #: of a group of pictures of MPEG-2, whose frames are shown in another order


class PictureTimecodes:
    """Follows the timecodes of the frames of one video."""

    def __init__(self, rate: Fraction, begin: Fraction) -> None:
        """``rate`` is in frames per second, ``begin`` is the first time of the file in seconds."""
        self._rate, self._begin = rate, begin
        self._last: tuple[Fraction, str] | None = None

    def follow(self, video: VideoFrame) -> None:
        """Take in the next decoded frame."""
        if found := self._read(video):
            self._last = presentation_time(video), found.text

    def at(self, time: Fraction) -> str | None:
        """The timecode at ``time`` (seconds), by that of the last frame that had one; None if none had."""
        if self._last is None:
            return None
        since, text = self._last
        return timecode_at(Fraction(round((time - since) * self._rate)) / self._rate, text, self._rate)

    def lost(self, video: VideoFrame, first: str | None, since: Fraction) -> frozenset[str]:
        """The kind of side data that a decoded frame loses in an OUT with one timecode, ``first``, of the
        frame at ``since`` (seconds): its own timecode, if that is not what follows from it."""
        found = self._read(video)
        if found is None:
            return frozenset()
        frames = frames_between(first, found.text, self._rate) if first else None
        # Some cameras count every second frame, and a group begins some frames before the one that carries
        # its timecode.
        tolerance = round(self._rate) if found.of_group else 1
        if frames is not None and abs(frames - self._frames(presentation_time(video) - since)) <= tolerance:
            return frozenset()
        return frozenset({GOP_TIMECODES if found.of_group else TIMECODES})

    def _frames(self, seconds: Fraction) -> int:
        return round(seconds * self._rate)

    def _read(self, video: VideoFrame) -> _Timecode | None:
        """The timecode of a decoded frame; None if it has none that says more than its time does."""
        side_data = side_data_of(video)
        if data := side_data.get("S12M_TIMECODE"):
            count, code, *_ = struct.unpack("=4I", bytes(data))
            return _Timecode(_smpte(code, self._rate), of_group=False) if count else None
        data = side_data.get("GOP_TIMECODE")
        text = _of_group(*struct.unpack("=q", bytes(data))) if data else _MIDNIGHT
        # Encoders that know no timecode write zeros, or count from the beginning of the file.
        frames = frames_between(_MIDNIGHT, text, self._rate)
        elapsed = self._frames(presentation_time(video) - self._begin)
        if not frames or abs(frames - elapsed) <= self._rate:
            return None
        return _Timecode(text, of_group=True)


def _smpte(code: int, rate: Fraction) -> str:
    """The timecode in 32 bits as FFmpeg has them: those of ST 12-1 without the user bits."""
    hours, minutes, seconds, frames = (
        (code >> shift + 4 & tens) * 10 + (code >> shift & 15)
        for shift, tens in ((0, 3), (8, 7), (16, 7), (24, 3))
    )
    if rate > _NUMBERED:  # the field bit, whose place depends on the rate, tells the second frame of each two
        frames = 2 * frames + (code >> (7 if rate == 50 else 23) & 1)
    return f"{hours:02}:{minutes:02}:{seconds:02}{';' if code >> 30 & 1 else ':'}{frames:02}"


def _of_group(code: int) -> str:
    """The 25 bits of ISO/IEC 13818-2, clause 6.3.8."""
    separator = ";" if code >> 24 & 1 else ":"
    return f"{code >> 19 & 31:02}:{code >> 13 & 63:02}:{code >> 6 & 63:02}{separator}{code & 63:02}"
