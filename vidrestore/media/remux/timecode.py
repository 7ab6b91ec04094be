"""SMPTE timecodes (ST 12-1): the timecode at which a part of a video begins."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

_PATTERN = re.compile(r"(\d+):(\d\d):(\d\d)([:;.])(\d\d+)")


def timecode_at(start: Fraction, first: str, rate: Fraction) -> str:
    """The timecode of the first frame at or after ``start`` seconds.

    ``first`` is the timecode of the video's first frame, ``rate`` is in frames per second. A text that is not
    a timecode is returned unchanged.
    """
    match = _PATTERN.fullmatch(first.strip())
    if match is None:
        return first
    *parts, separator, frame = match.groups()
    hours, minutes, seconds = map(int, parts)
    fps = round(rate)
    # Drop-frame timecodes, at 29.97 (59.94) frames per second, skip the first two (four) frame numbers of
    # each minute except every tenth, so that they follow the clock.
    dropped = 2 * (fps // 30) if separator != ":" else 0
    count = ((hours * 60 + minutes) * 60 + seconds) * fps + int(frame)
    count -= dropped * _minutes_with_drops(hours * 60 + minutes)
    count += ceil(start * rate)
    if dropped:
        tens, rest = divmod(count, 600 * fps - 9 * dropped)
        count += dropped * (9 * tens + max(0, (rest - dropped) // (60 * fps - dropped)))
    seconds, frames = divmod(count, fps)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{separator}{frames:02}"


def is_writable(timecode: str, rate: Fraction) -> bool:
    """Whether FFmpeg can write a timecode track that begins with ``timecode``, at ``rate`` frames per second:
    it has one byte for the rate, and drops frames only at 30000/1001 and its multiples."""
    match = _PATTERN.fullmatch(timecode.strip())
    fps = round(rate)
    return bool(match) and 1 <= fps <= 255 and (match[4] == ":" or fps % 30 == 0)


def _minutes_with_drops(minutes: int) -> int:
    """How many of the first ``minutes`` skip frame numbers."""
    return minutes - minutes // 10
