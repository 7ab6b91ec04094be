"""Folders of aligned faces, as ``tools/prepare_faces.py`` writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_face_folder(
    folder: Path, pixels: np.ndarray, names: Sequence[str], enlarged: Sequence[float] | None = None
) -> Path:
    """Write faces (N, S, S, 3) RGB uint8 with their names and the factors of enlargement (default 1)."""
    np.save(folder / "faces.npy", pixels)
    factors = enlarged or [1.0] * len(names)
    rows = [f"{name},{factor}" for name, factor in zip(names, factors, strict=True)]
    (folder / "faces.csv").write_text("\n".join(["name,enlarged", *rows]) + "\n")
    return folder
