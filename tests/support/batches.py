"""Batches whose files are restored by a stand-in: it copies them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidrestore.batch.batch import Batch
from vidrestore.batch.inputs import find_inputs
from vidrestore.errors import InputError
from vidrestore.media.output.destination import check_output, new_file
from vidrestore.options import Options
from vidrestore.progress.progress import Progress


@dataclass
class StandInReport:
    """What the stand-in did."""

    name: str
    warning: str | None = None
    frames: int = 2
    faces: int = 1
    seconds: float = 1.0
    model: str = "copy"
    profiled: str = "where the time went"

    def __str__(self) -> str:
        return f"{self.name}: 2 frames"


class StandIn:
    """Restores a file by copying it; notes which. A file whose content begins with ``bad`` fails."""

    def __init__(self) -> None:
        self.restored: list[str] = []
        self.clusters: list[Any] = []  #: that were given, one for each file
        #: Called in the middle of each file, with its path.
        self.during: Callable[[Path], None] = lambda path: None

    def __call__(
        self,
        options: Options,
        progress: Callable[[int, int], None],
        *,
        networks: Any,
        complete: Callable[[Path], None],
        mixed: bool,
        cluster: Any = None,
    ) -> StandInReport:
        self.clusters.append(cluster)
        out = options.destination
        check_output(out, options.input, overwrite=options.overwrite)
        content = options.input.read_bytes()
        if content.startswith(b"bad"):
            raise InputError(f"{options.input} cannot be read as a video")
        progress(1, 0)
        self.during(options.input)
        progress(2, 1)
        with new_file(out) as partial:
            partial.write_bytes(content + f" w={options.w}".encode())
            complete(partial)
        self.restored.append(options.input.name)
        return StandInReport(str(out))


def make_batch(
    restore: StandIn, out: Path, progress: Progress | None = None, cluster: Any = None, **options: Any
) -> Batch:
    """A batch into ``out`` with the stand-in."""
    given = Options(input=Path(), model="lite", **options)
    return Batch(given, out, progress or Progress(), restore=restore, cluster=cluster)


def run_batch(restore: StandIn, source: Path, out: Path, **options: Any) -> Batch:
    """Restore what is in the folder ``source``, folders in it too."""
    batch = make_batch(restore, out, **options)
    batch.run(find_inputs([str(source)], out, recursive=True))
    return batch
