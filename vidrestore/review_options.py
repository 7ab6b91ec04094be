"""The options that show what a run did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .option_types import option


@dataclass(frozen=True, kw_only=True)
class Review:
    """What is shown of a run."""

    report: Path | None = option(
        None,
        "--report",
        group="review",
        type=Path,
        metavar="FILE.html",
        basic=True,
        help="write what was done as a page with pictures, for any browser",
    )
    report_json: Path | None = option(
        None,
        "--report-json",
        group="review",
        type=Path,
        metavar="FILE",
        basic=True,
        help="write what was done to each face in each frame, and why, as JSON",
    )
    compare: Path | None = option(
        None,
        "--compare",
        group="review",
        type=Path,
        metavar="FILE",
        help="also write a video, with the sound, that shows the input and the result beside each other",
    )
    compare_layout: str = option(
        "side-by-side",
        "--compare-layout",
        group="review",
        choices=("side-by-side", "wipe"),
        help="how --compare shows them: in two halves, or divided by a line that moves",
    )
