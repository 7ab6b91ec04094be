"""SMPTE timecodes: where a part of a video begins on the clock of the whole (SMPTE ST 12-1)."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

_PATTERN = re.compile(r"(\d+):(\d\d):(\d\d)([:;.])(\d\d+)")


def later(timecode: str, start: Fraction, rate: Fraction) -> str:
    """The timecode of the first frame at or after ``start`` seconds, where ``timecode`` is that of the first
    of all, at ``rate`` frames a second. What is no timecode is returned as it is."""
    match = _PATTERN.fullmatch(timecode.strip())
    if match is None:
        return timecode
    *parts, mark, frame = match.groups()
    hours, minutes, seconds = map(int, parts)
    fps = round(rate)
    # Drop-frame timecodes of 29.97 and 59.94 frames a second leave out the numbers of two (four) frames each
    # minute but every tenth, so that they keep to the clock.
    dropped = 2 * (fps // 30) if mark != ":" else 0
    count = ((hours * 60 + minutes) * 60 + seconds) * fps + int(frame)
    count -= dropped * _skips(hours * 60 + minutes)
    count += ceil(start * rate)
    if dropped:
        tens, rest = divmod(count, 600 * fps - 9 * dropped)
        count += dropped * (9 * tens + max(0, (rest - dropped) // (60 * fps - dropped)))
    seconds, frames = divmod(count, fps)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{frames:02}"


def _skips(minutes: int) -> int:
    """How many of the first ``minutes`` begin with numbers left out."""
    return minutes - minutes // 10
