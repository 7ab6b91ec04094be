"""Which results in a folder are finished, and what each was made from: a file of one JSON object per line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..media.output.destination import writing
from ..stages.resume import sample_hash

NAME = ".vidrestore-batch.jsonl"


@dataclass(frozen=True, slots=True)
class Result:
    """One file that a batch made."""

    output: str  #: relative to the folder
    input: str  #: the absolute path
    key: Mapping[str, str]  #: everything that the result depends on, by the names that users know
    digest: str  #: a hash of its size and of samples of its content

    def is_at(self, path: Path) -> bool:
        """Whether ``path`` is this result, as it was made."""
        try:
            return path.is_file() and _digest(path) == self.digest
        except OSError:
            return False


class Ledger:
    """The results of all batches into one folder.

    Several batches may work into one folder at the same time: each line is appended at once. A line that a
    power cut has left incomplete counts for nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._size = -1
        self._results: dict[str, Result] = {}
        self.read()

    def __iter__(self) -> Iterator[Result]:
        return iter(self._results.values())

    def read(self) -> None:
        """Read what other batches have added."""
        try:
            if self._path.stat().st_size == self._size:
                return
            content = self._path.read_bytes()
        except OSError:
            return
        self._size = len(content)
        self._results = {result.output: result for line in content.split(b"\n") if (result := _parse(line))}

    def find(self, output: Path) -> Result | None:
        """The last result that was made at ``output``, relative to the folder; it may be there no more."""
        return self._results.get(output.as_posix())

    def add(self, output: Path, source: Path, key: Mapping[str, str], complete: Path) -> None:
        """Note, safely on the disk, that the file ``complete`` becomes the result ``output``. Raises
        OutputError."""
        with writing(self._path):
            result = Result(output.as_posix(), os.path.abspath(source), dict(key), _digest(complete))
            line = json.dumps(asdict(result)).encode()
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                # In one call, and on a line of its own whatever is before it.
                os.write(file, b"\n" + line + b"\n")
                os.fsync(file)
            finally:
                os.close(file)
        self._results[result.output] = result


def _digest(path: Path) -> str:
    return sample_hash(path, str(path.stat().st_size))


def _parse(line: bytes) -> Result | None:
    try:
        fields = json.loads(line)
        result = Result(**fields)
    except (ValueError, TypeError):
        return None
    texts = (result.output, result.input, result.digest)
    return result if all(isinstance(text, str) for text in texts) and isinstance(result.key, dict) else None
