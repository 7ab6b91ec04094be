"""What an ffmpeg binary lists of a file: its streams, tags and chapters, and the words of its subtitles."""

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
    marks: frozenset[str]  #: its dispositions


_STREAM = re.compile(r"Stream #0:(\d+)(?:\[\w+\])?(?:\((\w+)\))?: (\w+): (\w+)(.*)")
_MARKS = (
    "default|dub|original|comment|lyrics|karaoke|forced|hearing impaired|visual impaired|clean effects|"
    "attached pic|captions|descriptions"
)


def streams(path: Path) -> list[Stream]:
    """The streams of a file, in its order."""
    found = {}
    for line in describe(path).partition("Stream mapping")[0].splitlines():
        if match := _STREAM.search(line):
            index, language, kind, codec, rest = match.groups()
            marks = frozenset(re.findall(rf"\(({_MARKS})\)", rest))
            found[int(index)] = Stream(kind.lower(), codec, language, marks)
    return [found[index] for index in sorted(found)]


def metadata(path: Path) -> list[dict[str, str]]:
    """The tags of a file as a whole, then those of each chapter, under names in lower case; a chapter's
    times are in seconds, under ``start`` and ``end``."""
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
    """When each text of a subtitle stream is shown and hidden, in seconds, and its words without looks."""
    out, _ = (
        ffmpeg.input(str(path), copyts=None)
        .output("-", map=f"0:s:{number}", format="srt", **{"c:s": "srt"})
        .run(cmd=binary(), capture_stdout=True, capture_stderr=True)
    )
    shown = []
    for block in out.decode().strip().split("\n\n"):
        _, times, *words = block.splitlines()
        start, end = (_seconds(time) for time in times.split(" --> "))
        shown.append((start, end, re.sub(r"<[^>]*>", "", "\n".join(words))))
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
