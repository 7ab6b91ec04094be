"""What a batch would do, said without doing any of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..messages import one_line
from .batch import Batch
from .inputs import Inputs


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What a batch would do; its text is for people, ``data`` for programs."""

    data: dict[str, Any]  #: ready for JSON

    def __str__(self) -> str:
        lines = [
            f"{file['input']} -> {file['output']}" + (" (finished)" if file["finished"] else "")
            for file in self.data["files"]
        ]
        lines += self.data["problems"]
        return "\n".join(map(one_line, [*lines, *self.data["left_out"]]))


def plan_batch(batch: Batch, found: Inputs) -> BatchPlan:
    """Plan what ``batch`` would do with the files that were found. Raises VidrestoreError."""
    tasks, is_finished = batch.tasks(batch.without_results(found.files)), batch.results.is_finished
    return BatchPlan(
        {
            "files": [
                {
                    "input": str(task.file),
                    "output": str(task.output),
                    "finished": is_finished(task),
                }
                for task in tasks
            ],
            "problems": [f"{name}: {problem}" for name, problem in found.problems],
            "left_out": found.left_out,
        }
    )
