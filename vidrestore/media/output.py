"""OUT as a file: what it may be called, where it may lie, and how writing it fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from ..errors import OutputError, UsageError

#: FFmpeg's muxer for each ending of OUT.
MUXERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}


def check_output(out: Path, source: Path, *, overwrite: bool) -> None:
    """Refuse an OUT that cannot or must not be written. Raises OutputError or UsageError."""
    if out.suffix.lower() not in MUXERS:
        raise UsageError(f"{out.name!r} has no ending that names a container; use one of {', '.join(MUXERS)}")
    check_place(out, source, overwrite=overwrite)


def check_place(out: Path, source: Path, *, overwrite: bool) -> None:
    """Refuse a place where no file can or must be written. Raises OutputError."""
    folder = out.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"the folder {folder} does not exist; make it first or choose another")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {folder} cannot be written to: permission denied")
    if out.is_dir():
        raise OutputError(f"{out} is a folder; name a file")
    if out.exists():
        if source.exists() and out.samefile(source):
            raise OutputError(f"{out} is the input itself; choose another name")
        if not overwrite:
            raise OutputError(f"{out} exists; give -y to replace it")


def partial_path(out: Path) -> Path:
    """The hidden name under which OUT is written until it is whole."""
    return out.with_name(f".{out.stem}.partial{out.suffix}")


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn what goes wrong while OUT is written into an OutputError."""
    try:
        yield
    except (OSError, av.error.FFmpegError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{out} cannot be written: {reason}") from error


def place(partial: Path, out: Path) -> None:
    """Make a finished file durable and give it its name."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, out)
