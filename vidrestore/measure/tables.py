"""Figures of many pictures, summed up and printed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .face_metrics import Comparison
from .frechet import frechet_distance


@dataclass(frozen=True)
class Column:
    """One figure of a table."""

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
#: What is seen over time.
TIME_COLUMNS = (
    Column("face_psnr", "face PSNR", 2, higher_is_better=True),
    Column("warping", "warping", 3),
    Column("flicker", "flicker", 3),
    Column("static", "static", 3),
    Column("jitter", "jitter", 3),
    Column("raw_jitter", "(raw)", 3),
    Column("mouth", "mouth", 3),
    Column("eyes", "eyes", 3),
)


class Tally:
    """What was measured of one method, or of one clip, face by face."""

    def __init__(self) -> None:
        self.figures: dict[str, list[float]] = defaultdict(list)
        self.features: list[np.ndarray] = []

    def add(self, comparison: Comparison, number: int) -> None:
        """Picture ``number`` of a comparison."""
        for key, values in comparison.figures.items():
            self.figures[key].append(float(values[number]))
        self.features.append(comparison.features[number])

    def summary(self) -> dict[str, float]:
        """The means of all figures, and the median of the identity distances."""
        found = {key: float(np.mean(values)) for key, values in self.figures.items()}
        return found | {"identity_median": float(np.median(self.figures["identity"]))}

    def frechet(self, clean_features: Sequence[np.ndarray]) -> float:
        """The Fréchet distance to a set of clean faces; both sets are of at least two."""
        return frechet_distance(np.stack(self.features), np.stack(clean_features))


def table(title: str, rows: Mapping[str, Mapping[str, float]], columns: Sequence[Column] = COLUMNS) -> str:
    """Rows of figures by name, as text: those of ``columns`` that any of them has. An arrow says which way
    is better."""
    columns = [c for c in columns if any(c.key in row for row in rows.values())]
    width = max(len(title), *(len(name) for name in rows))
    headings = [f"{c.heading} {'↑' if c.higher_is_better else '↓'}" for c in columns]
    lines = ["  ".join([f"{title:{width}}", *(f"{h:>10}" for h in headings)])]
    for name, row in rows.items():
        cells = [f"{row[c.key]:10.{c.digits}f}" if c.key in row else " " * 10 for c in columns]
        lines.append("  ".join([f"{name:{width}}", *cells]))
    return "\n".join(lines)
