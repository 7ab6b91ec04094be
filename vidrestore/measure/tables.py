"""Mean figures of many images, and tables of them as text and as JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import OutputError
from .frechet import frechet_distance

if TYPE_CHECKING:  # importing it needs packages of the extra 'evaluate'
    from .face_metrics import FaceComparison


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    key: str
    heading: str
    digits: int
    higher_is_better: bool = False


COLUMNS = (
    Column("psnr", "PSNR", 2, higher_is_better=True),
    Column("ssim", "SSIM", 3, higher_is_better=True),
    Column("ms_ssim", "MS-SSIM", 3, higher_is_better=True),
    Column("alex", "alex", 3),
    Column("vgg", "vgg", 3),
    Column("identity", "identity", 3),
    Column("identity_median", "(median)", 3),
    Column("frechet", "Fréchet", 3),
)
#: Columns of the figures over time.
TIME_COLUMNS = (
    Column("face_psnr", "face PSNR", 2, higher_is_better=True),
    Column("warping", "warping", 3),
    Column("flicker", "flicker", 3),
    Column("static", "static", 3),
    Column("codes", "codes", 2),
    Column("jitter", "jitter", 3),
    Column("raw_jitter", "(raw)", 3),
    Column("mouth", "mouth", 3),
    Column("eyes", "eyes", 3),
)


class Tally:
    """Accumulates the figures of one method, or of one clip, face by face."""

    def __init__(self) -> None:
        self.figures: dict[str, list[float]] = defaultdict(list)
        self.features: list[np.ndarray] = []

    def add(self, comparison: FaceComparison, number: int) -> None:
        """Add image ``number`` of a comparison."""
        for key, values in comparison.figures.items():
            self.figures[key].append(float(values[number]))
        self.features.append(comparison.features[number])

    def summary(self) -> dict[str, float]:
        """Return the means of all figures, and the median of the identity distances; nothing if no face was
        added."""
        summary = {key: float(np.mean(values)) for key, values in self.figures.items()}
        if "identity" in self.figures:
            summary["identity_median"] = float(np.median(self.figures["identity"]))
        return summary

    def frechet(self, clean_features: Sequence[np.ndarray]) -> float:
        """Return the Fréchet distance to a set of clean faces. Raises ValueError for fewer than two faces."""
        return frechet_distance(np.stack(self.features), np.stack(clean_features))


def table(title: str, rows: Mapping[str, Mapping[str, float]], columns: Sequence[Column] = COLUMNS) -> str:
    """Format rows of figures by name as text, with those of ``columns`` that occur in any row. An arrow shows
    which direction is better."""
    columns = [c for c in columns if any(c.key in row for row in rows.values())]
    width = max(len(title), *(len(name) for name in rows))
    headings = [f"{c.heading} {'↑' if c.higher_is_better else '↓'}" for c in columns]
    lines = ["  ".join([f"{title:{width}}", *(f"{h:>10}" for h in headings)])]
    for name, row in rows.items():
        cells = [f"{row[c.key]:10.{c.digits}f}" if c.key in row else " " * 10 for c in columns]
        lines.append("  ".join([f"{name:{width}}", *cells]))
    return "\n".join(lines)


def write_json(path: Path | None, report: Mapping[str, Any]) -> None:
    """Write figures to a file, if one is named. Raises OutputError."""
    if path is None:
        return
    try:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def plain_table(rows: Sequence[Mapping[str, Any]], columns: str) -> str:
    """Format rows of values as text, right-aligned.

    ``columns`` are keys of the rows, separated by spaces, each with a colon and a format spec if needed, such
    as "name seconds:.2f share:.1%". None is shown as "-".
    """
    names, _, formats = zip(*(column.partition(":") for column in columns.split()), strict=True)
    cells = [
        [
            "-" if row[name] is None else format(row[name], spec)
            for name, spec in zip(names, formats, strict=True)
        ]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    return "\n".join(
        "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True))
        for line in [names, *cells]
    )
