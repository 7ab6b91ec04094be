"""Figures of many pictures, summed up and printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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
    Column("alex", "alex", 3),
    Column("vgg", "vgg", 3),
    Column("identity", "identity", 3),
    Column("identity_median", "(median)", 3),
    Column("frechet", "Fréchet", 3),
)


def summary(
    figures: Mapping[str, np.ndarray], features: np.ndarray, clean_features: np.ndarray
) -> dict[str, float]:
    """The means of all figures (N,), the median of the identity distances, and from two pictures on the
    Fréchet distance of their features (N, D) to those of the clean ones."""
    found = {key: float(np.mean(values)) for key, values in figures.items()}
    found["identity_median"] = float(np.median(figures["identity"]))
    if len(features) > 1:
        found["frechet"] = frechet_distance(features, clean_features)
    return found


def table(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Rows of figures by name, as text; an arrow says which way is better."""
    columns = [c for c in COLUMNS if any(c.key in row for row in rows.values())]
    width = max(len(title), *(len(name) for name in rows))
    headings = [f"{c.heading} {'↑' if c.higher_is_better else '↓'}" for c in columns]
    lines = ["  ".join([f"{title:{width}}", *(f"{h:>10}" for h in headings)])]
    for name, row in rows.items():
        cells = [f"{row[c.key]:10.{c.digits}f}" if c.key in row else " " * 10 for c in columns]
        lines.append("  ".join([f"{name:{width}}", *cells]))
    return "\n".join(lines)
