"""The options of a run, checked. The command line, presets, the Python API and docs/options.md are made from
them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path

from .encoding_options import Encoding, Machine
from .errors import UsageError
from .option_groups import General, Restoration, Streams, Time
from .option_types import convert, steady_parts
from .photo_options import Photos
from .review_options import Review

#: Those of ``vidrestore analyze`` too: what a tracks file depends on, and where it is made.
ANALYSIS = (
    "detector",
    "offline",
    "start",
    "duration",
    "end",
    "rate",
    "deinterlace",
    "video_stream",
    "device",
)


# The fields of a dataclass come in the reverse order of its bases.
@dataclass(frozen=True, kw_only=True)
class Options(Machine, Encoding, Review, Streams, Time, Photos, Restoration, General):
    """The options of one run, by their names in Python.

    Paths may be ``str`` or ``Path``; other values may be given as Python values or as the command line's
    text (``start="1:30"``). Raises UsageError for a value outside its range.
    """

    def __post_init__(self) -> None:
        for described in fields(self):
            object.__setattr__(self, described.name, convert(described, getattr(self, described.name)))
        # Written so that NaN is refused too.
        if self.w != "auto" and not (isinstance(self.w, float) and 0 <= self.w <= 1):
            raise UsageError(f"--w must be between 0 and 1, or auto, not {self.w}")
        if self.batch != "auto" and not (isinstance(self.batch, int) and 1 <= self.batch <= 1024):
            raise UsageError(f"--batch must be between 1 and 1024, or auto, not {self.batch}")
        steady_parts(self.steady)
        for track, w in self.track_w:
            if track < 1 or not 0 <= w <= 1:
                raise UsageError(
                    f"--track-w {track}={w:g} is out of range; track ids start at 1, and W is between 0 and 1"
                )
        for person, w in self.person_w:
            if not 0 <= w <= 1:
                raise UsageError(f"--person-w {person}={w:g} is out of range; W is between 0 and 1")
        if self.person_w and not self.tracks:
            raise UsageError("--person-w needs --tracks: vidrestore analyze writes who appears in a video")
        if self.end is not None and self.end <= self.start:
            raise UsageError(f"-to {float(self.end):g} is not after -ss {float(self.start):g}")
        if self.compare and self.upscale > 1:
            raise UsageError(
                "--compare shows the input and the result at one size; leave it out, or --upscale"
            )
        if self.workers is not None and self.ray is None:
            raise UsageError("--workers is how many workers --ray has; give --ray too")
        if self.mask is not None and self.task != "inpaint":
            raise UsageError("--mask says what --task inpaint is to fill; add that, or leave it out")
        if self.task != "restore" and (self.w != 0.5 or self.track_w or self.person_w):
            raise UsageError(
                f"fidelity weights are for --task restore; --task {self.task} has one of its own"
            )
        if self.duration is not None and not self.duration:
            raise UsageError("-t 0 leaves nothing to restore; give a longer time")

    @property
    def stop(self) -> Fraction | None:
        """End of the part to restore, in seconds; None for the end of the video."""
        return self.start + self.duration if self.duration is not None else self.end

    @property
    def destination(self) -> Path:
        """OUT, for jobs that write one. Raises UsageError if it is not set."""
        if self.output is None:
            raise UsageError("no OUT is given; name the file to write")
        return self.output
