"""``vidrestore preview``: what a run would make of some moments of a video, as a sheet or as a video."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..errors import UsageError
from ..media.output.destination import check_output, check_path
from ..media.output.special_files import is_stream
from ..options import Options
from ..restoration.tasks import find_task
from .drawing import PICTURES, save_picture
from .face_sheet import WEIGHTS, face_sheet
from .look import looking
from .moments import Moment
from .moments_video import Estimate, moments_video

#: How many moments are chosen if none is named.
CHOSEN = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """What a preview shows."""

    output: Path
    moments: Sequence[Moment]
    seconds: float  #: that it took
    estimate: Estimate | None  #: what a run over the whole video would take; None if that is not known

    def __str__(self) -> str:
        lines = [f"{self.output}: {len(self.moments)} moments in {self.seconds:.1f} s"]
        if self.estimate:
            lines.append(str(self.estimate))
        return "; ".join(lines)


def preview(
    options: Options,
    *,
    at: Sequence[Fraction] = (),
    worst: int = CHOSEN,
    columns: Sequence[float] | None = None,
    progress: Callable[[int, int], None] = lambda done, moments: None,
) -> Preview:
    """Write a preview to ``options.output``: a sheet of faces if that is a picture, else a video of moments
    with input and result side by side. Its frames are those of a run.

    Args:
        options: Of the run.
        at: Moments to show, in seconds; by default the ``worst`` riskiest ones are chosen.
        worst: How many are chosen.
        columns: Fidelity weights in [0, 1] of the sheet's columns, which here also apply where the tracks
            file sets others; none: one column with those of a run. By default several, but for a task that
            has a weight of its own. Of a video one, the run's ``--w``.
        progress: Called after each moment with the number done and the number of all.

    Raises:
        VidrestoreError: In one sentence; no file is left behind.
    """
    began, out = time.monotonic(), options.destination
    is_picture = out.suffix.lower() in PICTURES
    if find_task(options.task).w is not None:
        if columns is not None:
            raise UsageError(
                f"--task {options.task} has a fidelity weight of its own, so there is one result to show; "
                "leave out --w"
            )
        columns = ()
    if is_stream(out) or not is_picture:
        if columns and len(columns) > 1:
            raise UsageError("a video shows one --w; give one, or a FILE that ends in .png or .jpg")
        check_output(out, options.input, overwrite=options.overwrite)
    check_path(out, options.input, overwrite=options.overwrite)
    if options.track_w and not options.tracks:
        raise UsageError("--track-w needs --tracks in a preview: only there tracks have the ids of a run")
    estimate = None
    with looking(options) as look:
        moments = look.moments(at, worst)
        if is_picture:
            save_picture(out, face_sheet(look, moments, WEIGHTS if columns is None else columns, progress))
        else:
            estimate = moments_video(look, moments, out, progress)
    return Preview(out, moments, time.monotonic() - began, estimate)
