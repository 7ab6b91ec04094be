"""Numbered images as a video: ``frame_%06d.png``."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from ..errors import InputError

_NUMBER = re.compile(r"%(0\d+|)d")


def is_sequence(path: Path) -> bool:
    """Whether a path is the pattern of a sequence of images, and not the name of an existing file."""
    return len(_NUMBER.findall(path.name)) == 1 and not path.exists()


def image_numbers(path: Path) -> list[int]:
    """The numbers of the existing images of a sequence, in increasing order."""
    before, width, after = _NUMBER.split(path.name)
    digits = rf"\d{{{int(width)},}}" if width else r"\d+"
    pattern = re.compile(f"{re.escape(before)}({digits}){re.escape(after)}")
    names = (entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else ()
    return sorted(int(match[1]) for name in names if (match := pattern.fullmatch(name)))


def image_files(path: Path) -> list[Path]:
    """The existing images of a sequence, in their order."""
    before, width, after = _NUMBER.split(path.name)
    return [path.with_name(f"{before}{number:0{width}d}{after}") for number in image_numbers(path)]


def refuse_gap(path: Path, count: int | None) -> None:
    """Raise InputError if one of the first ``count`` images of a sequence (None: of all) is missing: there
    FFmpeg's image2 demuxer ends, without an error."""
    numbers = image_numbers(path)
    for read, (number, following) in enumerate(pairwise(numbers), 1):
        if following > number + 1 and (count is None or count > read):
            raise InputError(
                f"{path} has no image {number + 1}, and numbered images end as a video where one is missing; "
                "put one there (a copy of its neighbour keeps the time), give those before and after the gap "
                "folders of their own, or end before it with -t"
            )


def ffmpeg_arguments(path: Path, rate: Fraction) -> tuple[str, dict[str, str]]:
    """The file name and options with which FFmpeg's image2 demuxer reads a sequence from its first existing
    image, at ``rate`` frames per second. Raises InputError if there is no image."""
    numbers = image_numbers(path)
    if not numbers:
        raise InputError(f"no image matches {path}; check the name of the input")
    # image2 would read a % in the folder's name as a pattern too.
    name = Path(str(path.absolute().parent).replace("%", "%%")) / path.name
    return str(name), {"start_number": str(numbers[0]), "framerate": str(rate)}
