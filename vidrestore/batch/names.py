"""What the results of a batch are called."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..media.containers import CONTAINERS, EXTENSIONS, MATROSKA
from ..media.image_sequence import is_sequence
from ..media.photo.formats import PNG, SUFFIXES, photo_format
from .inputs import Found

#: The place of the number in the name of a sequence of images, with what sets it off.
_PATTERN = re.compile(r"[ ._-]?%0?\d*d")


def extension_for(source: Path, container: str | None) -> str:
    """The extension of the result of an input: that of the input if it stands for something that can be
    written, else that of what holds everything: Matroska for a video, PNG for a photo. ``container`` is that
    of the videos, if one is named.

    >>> extension_for(Path("a.MP4"), None), extension_for(Path("a.avi"), None)
    ('.MP4', '.mkv')
    """
    if photo_format(source):
        return source.suffix if source.suffix.lower() in SUFFIXES else PNG.suffixes[0]
    if container is not None:
        return CONTAINERS[container].extension
    return source.suffix if source.suffix.lower() in EXTENSIONS else MATROSKA.extension


def name_results(
    files: Sequence[Found],
    extension: Callable[[Path], str],
    *,
    owned: Mapping[str, str],
) -> list[Path]:
    """The path of each file's result within the folder OUT.

    It is the name of the input with another extension if needed. Where several files would get the same name,
    they all keep their own extension before it (``a.mov.mkv``), and a number if that is not enough. Names
    that differ only in upper and lower case are the same to some file systems, and so they are here.

    Args:
        files: The inputs.
        extension: Says which extension the result of an input has.
        owned: For names of results, relative to OUT, the absolute path of the input that each was made from.
            An input keeps the name that its result has, and no other gets it.
    """
    owner = {_key(name): source for name, source in owned.items()}
    kept: dict[str, list[str]] = {}
    for name, source in owned.items():
        kept.setdefault(source, []).append(name)
    plain = [file.folder / f"{_stem(file.path)}{extension(file.path)}" for file in files]
    wanted = Counter(map(_key, plain))
    taken = set[str]()
    results: list[Path] = []
    for file, name in zip(files, plain, strict=True):
        source = os.path.abspath(file.path)

        def is_free(path: Path, source: str = source) -> bool:
            return _key(path) not in taken and owner.get(_key(path), source) == source

        full = name.with_name(f"{_stem(file.path)}{file.path.suffix}{name.suffix}")
        if full.name == f"{name.stem}{name.suffix}{name.suffix}":
            full = name  # the extension would come twice
        own = [name, full] if wanted[_key(name)] == 1 else [full]
        earlier = [path for path in map(Path, kept.get(source, ())) if _is_like(path, name)]
        result = next(filter(is_free, [*earlier, *own]), None) or _numbered(own[-1], is_free)
        taken.add(_key(result))
        results.append(result)
    return results


def _is_like(path: Path, plain: Path) -> bool:
    """Whether ``path`` is in the folder, and has the extension, that a result is to have."""
    return path.parent == plain.parent and path.suffix == plain.suffix


def _numbered(name: Path, is_free: Callable[[Path], bool]) -> Path:
    number = 2
    while not is_free(result := name.with_name(f"{name.stem}-{number}{name.suffix}")):
        number += 1
    return result


def _stem(path: Path) -> str:
    """The name of an input without its extension; of a sequence of images, without the pattern too."""
    if not is_sequence(path):
        return path.stem
    return _PATTERN.sub("", path.stem) or path.absolute().parent.name


def _key(path: Path | str) -> str:
    return str(path).casefold()
