"""Which files a batch restores: those that are named, and those in folders."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError, UsageError
from ..media.image_sequence import is_sequence

_VIDEOS = (
    "3g2 3gp apng asf avi dv f4v flv gif h264 hevc ivf m2ts m2v m4v mj2 mkv mov mp4 mpeg mpg mts mxf nut ogm "
    "ogv rm rmvb ts vob webm wmv y4m"
)
_PHOTOS = "avif heic heif jfif jpe jpeg jpg png tif tiff webp"
#: Extensions of the files that are taken from a folder; a file that is named is taken whatever it is called.
MEDIA = frozenset(f".{name}" for name in f"{_VIDEOS} {_PHOTOS}".split())


@dataclass(frozen=True, slots=True)
class Found:
    """A file to restore."""

    path: Path
    folder: Path = Path()  #: where it lies within the folder that was named; its result lies there too


@dataclass(slots=True)
class Inputs:
    """What was found."""

    files: list[Found] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)  #: names that lead to no file, and why
    others: int = 0  #: files in folders that are neither videos nor photos
    folders: int = 0  #: folders in folders that were left out

    @property
    def left_out(self) -> list[str]:
        """What was left out, for people."""
        files = "1 file is" if self.others == 1 else f"{self.others} files are"
        folders = "1 folder in a folder is" if self.folders == 1 else f"{self.folders} folders in folders are"
        return [
            *([f"{files} neither a video nor a photo"] if self.others else ()),
            *([f"{folders} left out (--recursive enters them)"] if self.folders else ()),
        ]


def find_inputs(names: Iterable[str], out: Path, *, recursive: bool) -> Inputs:
    """The files that ``names`` stand for, in this order, each once.

    A name is that of a file, which is taken whatever it is, of a folder, of whose files the videos and photos
    are taken in the order of their names, or a pattern (``*.mp4``), which the shell has left as it is. With
    ``recursive`` folders in folders are entered, except for links to folders, which may lead in a circle.
    The folder ``out`` is left out, even if it is named, and so is anything hidden in a folder.
    """
    found, seen = Inputs(), set[str]()
    for name in names:
        for path in _expand(name, found):
            if _is_same(path, out):  # a shell's * has it among the others
                continue
            files = _in_folder(path, Path(), out, found, recursive) if path.is_dir() else (Found(path),)
            for file in files:
                absolute = os.path.abspath(file.path)
                if absolute not in seen:
                    seen.add(absolute)
                    found.files.append(file)
    return found


def is_pattern(name: str) -> bool:
    """Whether ``name`` is a pattern, and not the name of an existing file or folder."""
    return glob.has_magic(name) and not os.path.lexists(name)


def _expand(name: str, found: Inputs) -> list[Path]:
    """The paths that ``name`` stands for."""
    if not is_pattern(name):
        return [Path(name)]
    paths = _matches(name)
    if not paths:
        found.problems.append((name, "no file matches this pattern"))
    return [Path(path) for path in paths]


def _matches(pattern: str) -> list[str]:
    """The names that a pattern matches, sorted. A folder in front of it that exists is taken as it is called:
    brackets are usual in names."""
    folder, last = os.path.split(pattern)
    if os.path.isdir(folder):
        pattern = os.path.join(glob.escape(folder), last)
    return sorted(glob.glob(pattern, recursive=True))


def _in_folder(folder: Path, place: Path, out: Path, found: Inputs, recursive: bool) -> Iterator[Found]:
    """The videos and photos in ``folder``, which lies at ``place`` in the folder that was named."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        found.problems.append((str(folder), f"the folder cannot be read: {error.strerror}"))
        return
    folders = []
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if _is_same(path, out):
                continue
            if recursive and not entry.is_symlink():
                folders.append(entry.name)
            else:
                found.folders += 1
        elif path.suffix.lower() in MEDIA and (entry.is_file() or entry.is_symlink()):
            yield Found(path, place)
        else:
            found.others += 1
    for name in folders:
        yield from _in_folder(folder / name, place / name, out, found, recursive)


def is_batch(names: Sequence[str], out: str) -> bool:
    """Whether inputs called ``names`` and an output called ``out`` are a batch: the output is a folder, or
    there is not exactly one input, or it stands for more."""
    if len(names) != 1 or _is_folder(out) or os.path.isdir(names[0]):
        return True
    return is_pattern(names[0]) and not is_sequence(Path(names[0]))


def check_names(names: Sequence[str], out: str) -> None:
    """Raise UsageError if a batch of the inputs ``names`` cannot go to ``out``, and InputError if the only
    one is no file and, as a pattern, matches none."""
    if "-" in names:
        raise UsageError("standard input cannot be one of several inputs; restore it by itself")
    if out == "-":
        raise UsageError("several inputs cannot go to standard output; name a folder")
    if os.path.exists(out) and not os.path.isdir(out):
        raise UsageError(f"{out} is not a folder; several inputs need one")
    if len(names) == 1 and is_pattern(names[0]) and not _matches(names[0]):
        raise InputError(f"{names[0]} does not exist, and as a pattern it matches no file")
    if not _is_folder(out) and Path(out).suffix.lower() in MEDIA:
        what = f"{names[0]} is a folder" if os.path.isdir(names[0]) else "there are several inputs"
        raise UsageError(f"{what}, so OUT must be a folder; end its name with {os.sep} if {out} is to be one")
    if names and all(_is_same(Path(name), Path(out)) for name in names):
        raise UsageError(f"{out} is the folder of the inputs; choose another one for the results")


def _is_folder(name: str) -> bool:
    """Whether ``name`` is that of a folder: one that exists, or one that is yet to be made."""
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return name.endswith(separators) or os.path.isdir(name)


def _is_same(path: Path, other: Path) -> bool:
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):
        return False
