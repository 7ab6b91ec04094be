"""A folder of aligned faces on disk, split into training and validation."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

#: A face is held out for validation if the first byte of the SHA-256 of its name is below this: about 5 %.
HELD_OUT = 13


def is_held_out(name: str) -> bool:
    """Return whether the face ``name`` is reserved for validation; this depends on the name alone."""
    return hashlib.sha256(name.encode()).digest()[0] < HELD_OUT


def write_face_set(folder: Path, pixels: np.ndarray, names: Sequence[str], enlarged: Sequence[float]) -> None:
    """Write a face set that :class:`FaceSet` reads.

    Args:
        folder: The folder to write to; it is created.
        pixels: (N, S, S, 3) RGB uint8.
        names: Names of the N faces.
        enlarged: The factors by which the faces were enlarged when they were aligned.
    """
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "faces.npy", pixels)
    with (folder / "faces.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "enlarged"))
        writer.writerows((name, f"{factor:.3f}") for name, factor in zip(names, enlarged, strict=True))


class FaceSet:
    """The faces of a folder that ``tools/prepare_faces.py`` wrote: ``faces.npy`` (N, S, S, 3) RGB uint8, and
    ``faces.csv`` with the name of each face and the factor by which alignment enlarged it.

    Attributes:
        pixels: (N, S, S, 3) RGB uint8, memory-mapped.
        names: Names of the N faces.
        enlarged: (N,) factors by which the faces were enlarged when they were aligned.
        training: Indices of the faces to train on.
        validation: Indices of the held-out faces.
    """

    def __init__(self, folder: str | Path) -> None:
        """Raises OSError, ValueError or KeyError if the files are missing or inconsistent."""
        self.pixels: np.ndarray = np.load(Path(folder) / "faces.npy", mmap_mode="r")
        with open(Path(folder) / "faces.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if len(rows) != len(self.pixels):
            raise ValueError(f"{folder}: {len(self.pixels)} faces but {len(rows)} names")
        self.names = [row["name"] for row in rows]
        self.enlarged = np.array([float(row["enlarged"]) for row in rows])
        held_out = np.array([is_held_out(name) for name in self.names])
        self.training = np.flatnonzero(~held_out)
        self.validation = np.flatnonzero(held_out)

    def face(self, index: int) -> Tensor:
        """Return face ``index`` as (3, S, S) RGB uint8."""
        return torch.from_numpy(self.pixels[index].transpose(2, 0, 1).copy())
