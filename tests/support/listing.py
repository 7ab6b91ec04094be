"""What an ffmpeg binary lists of a file: its streams, tags, chapters and subtitles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import ffmpeg

from tests.support.reader import binary, describe


@dataclass(frozen=True)
class Stream:
    """One stream, as ffmpeg lists it."""

    kind: str  #: in lower case
    codec: str
    language: str | None
    dispositions: frozenset[str]


_STREAM = re.compile(r"Stream #0:(\d+)(?:\[\w+\])?(?:\((\w+)\))?: (\w+): (\w+)(.*)")
_DISPOSITIONS = (
    "default|dub|original|comment|lyrics|karaoke|forced|hearing impaired|visual impaired|clean effects|"
    "attached pic|captions|descriptions"
)


def streams(path: Path) -> list[Stream]:
    """The streams of a file, in its order."""
    found = {}
    for line in describe(path).partition("Stream mapping")[0].splitlines():
        if match := _STREAM.search(line):
            index, language, kind, codec, rest = match.groups()
            dispositions = frozenset(re.findall(rf"\(({_DISPOSITIONS})\)", rest))
            found[int(index)] = Stream(kind.lower(), codec, language, dispositions)
    return [found[index] for index in sorted(found)]


def metadata(path: Path) -> list[dict[str, str]]:
    """The tags of the file, then those of each chapter, with keys in lower case. ``start`` and ``end`` of a
    chapter are in seconds."""
    out, _ = (
        ffmpeg.input(str(path), copyts=None)
        .output("-", format="ffmetadata", map_metadata=0)
        .run(cmd=binary(), capture_stdout=True, capture_stderr=True)
    )
    sections: list[dict[str, str]] = [{}]
    for line in out.decode(errors="replace").splitlines():
        if line == "[CHAPTER]":
            sections.append({})
        elif "=" in line and not line.startswith(";"):
            key, value = line.split("=", 1)
            sections[-1][key.lower()] = value
    for chapter in sections[1:]:
        base = Fraction(chapter.pop("timebase"))
        for name in ("start", "end"):
            chapter[name] = str(float(int(chapter[name]) * base))
    return sections


def subtitles(path: Path, number: int = 0) -> list[tuple[float, float, str]]:
    """Start and end in seconds, and text without styles, of each subtitle of a stream."""
    out, _ = (
        ffmpeg.input(str(path), copyts=None)
        .output("-", map=f"0:s:{number}", format="srt", **{"c:s": "srt"})
        .run(cmd=binary(), capture_stdout=True, capture_stderr=True)
    )
    shown = []
    for block in out.decode().strip().split("\n\n"):
        _, times, *lines = block.splitlines()
        start, end = (_seconds(time) for time in times.split(" --> "))
        shown.append((start, end, re.sub(r"<[^>]*>", "", "\n".join(lines))))
    return shown


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def aspect_ratios(path: Path) -> list[str | None]:
    """The sample aspect ratio of each video stream, as ``4:3``: the container's if it has one, else the
    codec's."""
    lines = re.findall(r"Stream .*Video:(.*)", describe(path).partition("Output #0")[0])
    found = [re.findall(r"SAR (\d+:\d+)", line) for line in lines]
    return [ratios[-1] if ratios else None for ratios in found]
