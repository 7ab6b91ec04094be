"""SMPTE timecodes (ST 12-1): where a file has that of its first frame, and how they count frames."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

from av.container import InputContainer
from av.stream import Stream

#: The tag of a timecode track that names its reel.
REEL_NAME = "reel_name"
_PATTERN = re.compile(r"(\d+):(\d\d):(\d\d)([:;.])(\d\d+)")


def timecode(source: InputContainer, video: Stream) -> str | None:
    """The timecode of a file's first frame: that of its video, else of a timecode track, else of the file."""
    tagged = (video, *(stream for stream in source.streams if stream.type == "data"), source)
    return next(filter(None, map(stated_timecode, tagged)), None)


def stated_timecode(item: InputContainer | Stream) -> str | None:
    """The timecode among the tags of a file or a stream; None if there is none."""
    return next((value for key, value in item.metadata.items() if is_timecode(key)), None)


def reel_tags(source: InputContainer, first: str | None) -> dict[str, str]:
    """The tag that names the reel (a tape, a card) of the timecode track that begins with ``first``; none if
    there is no such track, or it names none. FFmpeg writes it into the track if the video has it."""
    tracks = (s for s in source.streams if s.type == "data" and first and stated_timecode(s) == first)
    names = (track.metadata.get(REEL_NAME) for track in tracks)
    return next(({REEL_NAME: name} for name in names if name), {})


def is_timecode(key: str) -> bool:
    """Whether a tag is a timecode: Matroska's readers give its key in capitals."""
    return key.lower() == "timecode"


def timecode_at(start: Fraction, first: str, rate: Fraction) -> str:
    """The timecode of the first frame at or after ``start`` seconds.

    ``first`` is the timecode of the video's first frame, ``rate`` is in frames per second. A text that is not
    a timecode is returned unchanged, and so is that of a video of no frame per second.
    """
    match = _PATTERN.fullmatch(first.strip())
    if match is None or not round(rate):
        return first
    return _label(_count(match, rate) + ceil(start * rate), match[4], rate)


def frames_between(first: str, second: str, rate: Fraction) -> int | None:
    """How many frames ``second`` is later than ``first``, negative if it is earlier: at most half a day. None
    if one of them is not a timecode. ``rate`` is in frames per second."""
    matches = [_PATTERN.fullmatch(text.strip()) for text in (first, second)]
    if not all(matches) or not round(rate):
        return None
    before, after = (_count(match, rate) for match in matches if match)
    day = round(86400 * rate)
    return (after - before + day // 2) % day - day // 2


def is_writable(timecode: str, rate: Fraction) -> bool:
    """Whether FFmpeg can write a timecode track that begins with ``timecode``, at ``rate`` frames per second:
    it has one byte for the rate, and drops frames only at 30000/1001 and its multiples."""
    match = _PATTERN.fullmatch(timecode.strip())
    fps = round(rate)
    return bool(match) and 1 <= fps <= 255 and (match[4] == ":" or fps % 30 == 0)


def _count(timecode: re.Match[str], rate: Fraction) -> int:
    """The number of a frame by its timecode."""
    *parts, separator, frame = timecode.groups()
    hours, minutes, seconds = map(int, parts)
    fps = round(rate)
    count = ((hours * 60 + minutes) * 60 + seconds) * fps + int(frame)
    return count - _dropped(separator, fps) * _minutes_with_drops(hours * 60 + minutes)


def _label(count: int, separator: str, rate: Fraction) -> str:
    """The timecode of a frame by its number."""
    fps = round(rate)
    if dropped := _dropped(separator, fps):
        tens, rest = divmod(count, 600 * fps - 9 * dropped)
        count += dropped * (9 * tens + max(0, (rest - dropped) // (60 * fps - dropped)))
    seconds, frames = divmod(count, fps)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{separator}{frames:02}"


def _dropped(separator: str, fps: int) -> int:
    """Drop-frame timecodes, at 29.97 (59.94) frames per second, skip the first two (four) frame numbers of
    each minute except every tenth, so that they follow the clock."""
    return 2 * (fps // 30) if separator != ":" else 0


def _minutes_with_drops(minutes: int) -> int:
    """How many of the first ``minutes`` skip frame numbers."""
    return minutes - minutes // 10
