"""Numbered pictures as a video: ``frame_%06d.png``."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from ..errors import InputError

_NUMBER = re.compile(r"%(0\d+|)d")


def is_sequence(path: Path) -> bool:
    """Whether a name stands for numbered pictures, rather than for a file of that name."""
    return len(_NUMBER.findall(path.name)) == 1 and not path.exists()


def numbers(path: Path) -> list[int]:
    """The numbers of the pictures that are there, rising."""
    before, width, after = _NUMBER.split(path.name)
    digits = rf"\d{{{int(width)},}}" if width else r"\d+"
    pattern = re.compile(f"{re.escape(before)}({digits}){re.escape(after)}")
    names = (entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else ()
    return sorted(int(match[1]) for name in names if (match := pattern.fullmatch(name)))


def ffmpeg_arguments(path: Path, rate: Fraction) -> tuple[str, dict[str, str]]:
    """What FFmpeg's reader of sequences takes to begin at the first picture that is there: a name and
    options. Raises InputError where there is none."""
    found = numbers(path)
    if not found:
        raise InputError(f"no picture is named like {path}; check the name of the input")
    name = Path(str(path.absolute().parent).replace("%", "%%")) / path.name
    return str(name), {"start_number": str(found[0]), "framerate": str(rate)}
