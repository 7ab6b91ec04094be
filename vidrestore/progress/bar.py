"""Progress as a bar on a terminal, which redraws its line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from ..messages import one_line
from .progress import Ending, Progress, Standing, Task


class Bar(Progress):
    """One bar over all frames of the batch, with the file that is being restored."""

    _bar: tqdm[Any] | None = None

    def show_begin(self, standing: Standing) -> None:
        """Name the file."""
        task = standing.task
        of = f" of {standing.files}" if standing.files else ""
        which = "" if standing.files == 1 else f"[{task.number}{of}] "
        name = one_line(f"{which}{task.file.name}")
        if self._bar is None:
            self._bar = tqdm(
                desc=name,
                total=standing.all_frames,
                unit=self.unit,
                file=sys.stderr,
                leave=False,
                mininterval=0.2,
            )
        else:
            self._bar.set_description_str(name, refresh=False)
            self._bar.set_postfix(refresh=False)
            self._draw(standing)

    def show(self, standing: Standing) -> None:
        """Move the bar."""
        assert self._bar is not None
        if standing.resumed and standing.frames == standing.resumed + 1:
            # Frames that were finished before took no time now.
            self._bar.initial += standing.resumed
        if standing.faces:
            self._bar.set_postfix(faces=standing.faces, refresh=False)
        self._draw(standing)

    def show_end(self, task: Task, ending: Ending, about: Mapping[str, Any]) -> None:
        """Nothing: the next file, or the end, changes the bar."""

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def _draw(self, standing: Standing) -> None:
        assert self._bar is not None
        self._bar.total = standing.all_frames
        self._bar.update(standing.all_done - self._bar.n)
