"""Folders that were opened with ``--open``: their files are worked on where they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .uploads import RefusedError

#: Entries of a folder that are listed.
_MOST = 2000


class Folders:
    """The opened folders. Nothing outside of them is reached: no link leads out, and hidden files are not
    listed."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [folder.resolve() for folder in folders]

    @property
    def names(self) -> list[str]:
        """What they are called."""
        return [folder.name or str(folder) for folder in self._folders]

    def resolve(self, number: int, inside: str) -> Path:
        """The file or folder at the relative path ``inside`` of an opened folder. Raises RefusedError."""
        missing = RefusedError(404, "there is no such file in the opened folders")
        if not 0 <= number < len(self._folders) or "\0" in inside:
            raise missing
        folder = self._folders[number]
        try:
            # Resolved first: what counts is where a link leads.
            path = (folder / inside).resolve(strict=True)
        except (OSError, RuntimeError):
            raise missing from None
        if path != folder and folder not in path.parents:
            raise missing
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or not (path.is_file() or path.is_dir()):
            raise missing
        return path

    def listing(self, number: int, inside: str) -> dict[str, Any]:
        """The folders and files in a folder, ready for JSON. Raises RefusedError."""
        folder = self.resolve(number, inside)
        if not folder.is_dir():
            raise RefusedError(404, "this is a file")
        root = self._folders[number]
        entries = []
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name.casefold())[:_MOST]:
            try:
                entry.name.encode()  # a name that is no text could not be asked for
                path = self.resolve(number, str(entry.relative_to(root)))
            except (RefusedError, UnicodeEncodeError):
                continue
            entries.append({"name": entry.name, "folder": path.is_dir(), "size": path.stat().st_size})
        return {"path": folder.relative_to(root).as_posix(), "entries": entries}
