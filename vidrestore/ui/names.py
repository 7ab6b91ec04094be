"""Names that visitors gave are shown and offered for downloads, and never used as paths; names of the
server's folders are never shown."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Sequence
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any
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


def without_folders(value: Any, command: Sequence[str]) -> Any:
    """``value``, as of JSON, without the server's folders in its texts: those of the paths in the command
    of a job."""
    if isinstance(value, str):
        folders = {str(Path(argument).parent) for argument in command if os.path.isabs(argument)}
        for folder in sorted(folders, key=len, reverse=True):
            # As it is, and as it is written in the HTML and the JSON of a report.
            for written in dict.fromkeys((folder, escape(folder), json.dumps(folder)[1:-1])):
                value = value.replace(written + os.sep, "").replace(written, "the folder")
        return value
    if isinstance(value, list):
        return [without_folders(each, command) for each in value]
    if isinstance(value, dict):
        return {name: without_folders(each, command) for name, each in value.items()}
    return value
