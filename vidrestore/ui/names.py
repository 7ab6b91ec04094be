"""Names that visitors gave: shown and offered for downloads, never used as paths."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

_LONGEST = 120


def shown_name(given: str) -> str:
    """A name without folders, and without characters that are not seen or that turn the direction of text."""
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip(" .")
    if len(kept) > _LONGEST:
        suffix = PurePosixPath(kept).suffix[:8]
        kept = kept[: _LONGEST - len(suffix)] + suffix
    return kept or "unnamed"


def result_name(name: str, suffix: str) -> str:
    """What the result of the file ``name`` is called when it is downloaded."""
    return f"{PurePosixPath(name).stem or 'result'}-restored{suffix}"


def disposition(name: str) -> str:
    """The header that makes a browser save an answer under ``name`` (RFC 6266)."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_. ") else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
