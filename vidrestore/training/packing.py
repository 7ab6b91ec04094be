"""Checkpoints in small files, so that a run can be moved between machines."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import UsageError
from .checkpoint import load_checkpoint

#: Maximum size of a part, bytes.
LIMIT = 15_000_000
_INDEX = "index.json"
#: Names of parts, whole or not.
_PART = re.compile(r"\.?[\w-]+\.(pt|csv)\.\d{3,}\.[0-9a-f]{8}")


def pack(run: Path, folder: Path, *, limit: int = LIMIT) -> None:
    """Write the checkpoints and logs of the run folder ``run`` to ``folder``, in parts of at most ``limit``
    bytes, and ``index.json``, which names the parts of each file with their SHA-256.

    The index is written after the parts, and parts that it does not name are removed after that, so
    ``folder`` holds a complete run at any moment. Other files in it are left alone. Raises UsageError if it
    is the run folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if folder.samefile(run):
        raise UsageError(f"a run cannot be packed into its own folder, {folder}; name another one")
    index: dict[str, dict[str, str]] = {}
    steps = {path.name: load_checkpoint(path)["step"] for path in sorted(run.glob("*.pt"))}
    for path in sorted([*run.glob("*.pt"), *run.glob("*.csv")]):
        index[path.name] = {}
        for number, data in enumerate(_chunks(path, limit)):
            digest = hashlib.sha256(data).hexdigest()
            part = f"{path.name}.{number:03}.{digest[:8]}"
            # A part of the same name, which contains the digest, and size is the same part.
            if not (folder / part).exists() or (folder / part).stat().st_size != len(data):
                _write(folder / part, data)
            index[path.name][part] = digest
    _write(folder / _INDEX, json.dumps({"parts": index, "steps": steps}, indent=1).encode())
    named = {part for parts in index.values() for part in parts}
    for path in folder.iterdir():
        if _PART.fullmatch(path.name) and path.name not in named:
            path.unlink()


def unpack(folder: Path, run: Path) -> list[str]:
    """Restore the files of a packed run that the run folder ``run`` lacks, or whose checkpoint is at an
    earlier step there; return their names.

    Returns an empty list if ``folder`` has no packed run. Raises UsageError if a part is missing or damaged.
    """
    if not (folder / _INDEX).exists():
        return []
    content = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    index: dict[str, dict[str, str]] = content["parts"]
    run.mkdir(parents=True, exist_ok=True)
    later = {
        Path(name).stem
        for name, step in content["steps"].items()
        if not (run / name).exists() or load_checkpoint(run / name)["step"] < step
    }
    wanted = [name for name in index if Path(name).stem in later or not (run / name).exists()]
    for name in wanted:
        whole = run / f"{name}.unpacking"
        with whole.open("wb") as file:
            for part, digest in index[name].items():
                data = (folder / part).read_bytes() if (folder / part).exists() else b""
                if hashlib.sha256(data).hexdigest() != digest:
                    file.close()
                    whole.unlink()
                    raise UsageError(f"{folder / part} is missing or damaged; copy {folder} again")
                file.write(data)
        whole.replace(run / name)
    return wanted


def _chunks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(size):
            yield data


def _write(path: Path, data: bytes) -> None:
    """Write a file atomically."""
    new = path.with_name(f".{path.name}")
    with new.open("wb") as file:
        file.write(data)
        os.fsync(file.fileno())
    new.replace(path)
