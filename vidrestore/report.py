"""What a run over a video did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .media.output.destination import display_name
from .media.output.special_files import STDOUT
from .runtime.profile import Profile
from .stages.setup import Setup


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    output: Path
    frames: int
    faces: int  #: restored, over all frames
    tracks: int  #: that had a face in a frame
    resumed: int  #: how many of the frames earlier runs had finished
    seconds: float  #: that this run took
    setup: Setup = field(repr=False)
    profile: Profile = field(repr=False)
    workers: Sequence[Mapping[str, Any]] = ()  #: what each did, if there were several

    @property
    def model(self) -> str:
        """Name of the model that restored the faces."""
        return self.setup.restorer.model

    @property
    def times(self) -> dict[str, Any]:
        """Where the time of this run went, ready for JSON; finished frames of an earlier run had theirs."""
        workers = {"workers": list(self.workers)} if self.workers else {}
        return {"seconds": self.seconds, "resumed": self.resumed, **self.profile.data(), **workers}

    @property
    def table(self) -> str:
        """Where the time of this run went, for people: by stage, or what each of several workers did."""
        if not self.workers:
            return self.profile.table()
        rows = [
            f"{each['segments']:8} {each['frames']:8} {each['seconds']:10.1f}  {each['worker']}"
            for each in self.workers
        ]
        return "\n".join(["segments   frames    seconds  worker", *rows])

    @property
    def profiled(self) -> str:
        """What ``--profile`` prints."""
        return f"{self.setup}\n{self.table}"

    @property
    def warning(self) -> str | None:
        """Said if no face was restored."""
        if self.faces:
            return None
        known = self.tracks or self.setup.detector is None
        why = "every face was skipped" if known else "no faces were found"
        return f"{why}: {display_name(self.output)} is the input, re-encoded"

    def __str__(self) -> str:
        name = display_name(self.output) if self.output == STDOUT else self.output
        by = f" by {len(self.workers)} workers" if len(self.workers) > 1 else ""
        rate = (self.frames - self.resumed) / self.seconds
        return (
            f"{name}: {self.frames} frames, {self.faces} faces, {self.tracks} tracks in {self.seconds:.1f} s "
            f"({rate:.2f} frames/s) with {self.model}{by}"
        )
