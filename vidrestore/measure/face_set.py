"""A folder of aligned faces on disk, split into training and validation."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

#: A face is held out for validation if the first byte of the SHA-256 of its name is below this: about 5 %.
HELD_OUT = 13
#: Bytes of the faces in a shard, at most; the header of the file comes on top.
_SHARD_BYTES = 59_900_000
#: Files with faces: ``faces.npy``, or the shards ``faces-00000.npy`` and so on, in the order of their names.
_FILE = re.compile(r"faces(-\d+)?\.npy")


def is_face_set(folder: Path) -> bool:
    """Whether ``folder`` holds faces that ``tools/prepare_faces.py`` wrote, in one file or in shards."""
    return bool(_files(folder))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("faces*.npy") if _FILE.fullmatch(path.name))


def is_held_out(name: str) -> bool:
    """Return whether the face ``name`` is reserved for validation; this depends on the name alone."""
    return hashlib.sha256(name.encode()).digest()[0] < HELD_OUT


class FaceSetWriter:
    """Writes a face set that :class:`FaceSet` reads: all faces to ``faces.npy``, or with ``shards`` to
    ``faces-00000.npy``, ``faces-00001.npy`` and so on, of at most 60 MB each, which are easier to move. Only
    with shards is its memory bounded. A face set of an earlier run in the same folder is replaced at the end.
    """

    def __init__(self, folder: Path, *, shards: bool = False) -> None:
        self._folder, self._shards = folder, shards
        self._faces: list[np.ndarray] = []
        self._rows: list[tuple[str, str]] = []
        self._written = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(".faces*.npy"):  # of a run that did not end
            path.unlink()

    def add(self, face: np.ndarray, name: str, enlarged: float) -> None:
        """Add a face (S, S, 3) RGB uint8, and the factor by which it was enlarged when it was aligned."""
        if self._shards and self._faces and (len(self._faces) + 1) * face.nbytes > _SHARD_BYTES:
            self._write_shard()
        self._faces.append(face)
        self._rows.append((name, f"{enlarged:.3f}"))

    def finish(self) -> None:
        """Write what is not written yet, and the names."""
        if self._faces:
            self._write_shard()
        for path in _files(self._folder):
            path.unlink()
        for path in self._folder.glob(".faces*.npy"):
            path.replace(path.with_name(path.name.removeprefix(".")))
        with (self._folder / "faces.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("name", "enlarged"))
            writer.writerows(self._rows)

    def _write_shard(self) -> None:
        name = f".faces-{self._written:05}.npy" if self._shards else ".faces.npy"
        np.save(self._folder / name, np.stack(self._faces))
        self._written += 1
        self._faces.clear()


class ShardedArray:
    """Arrays (n, S, S, 3) that are read as one array of all their faces.

    Attributes:
        shape: (N, S, S, 3).
    """

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self._arrays = arrays
        self._ends = np.cumsum([len(array) for array in arrays])
        self.shape = (int(self._ends[-1]), *arrays[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> np.ndarray:
        """Face ``index``, (S, S, 3)."""
        number = int(np.searchsorted(self._ends, index, side="right"))
        return self._arrays[number][index - self._ends[number]]


class FaceSet:
    """The faces of a folder that ``tools/prepare_faces.py`` wrote: ``faces.npy`` (N, S, S, 3) RGB uint8 or
    its shards, and ``faces.csv`` with the name of each face and the factor by which alignment enlarged it.

    Attributes:
        pixels: The faces as stored, (N, S, S, 3) RGB uint8, memory-mapped.
        side: The side in pixels at which :meth:`image` and :meth:`face` return them.
        names: Names of the N faces.
        enlarged: (N,) factors by which the faces were enlarged when they were aligned.
        training: Indices of the faces to train on.
        validation: Indices of the held-out faces.
    """

    def __init__(self, folder: str | Path, side: int | None = None) -> None:
        """``side`` must divide S, which is the default.

        Raises OSError, ValueError or KeyError if the files are missing or inconsistent.
        """
        paths = _files(Path(folder))
        if not paths:
            raise FileNotFoundError(f"{folder} has no faces.npy")
        self.pixels = ShardedArray([np.load(path, mmap_mode="r") for path in paths])
        stored = self.pixels.shape[1]
        self.side = side or stored
        if stored % self.side:
            raise ValueError(
                f"the faces are {stored} pixels wide, which is not a multiple of {self.side} pixels"
            )
        with open(Path(folder) / "faces.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if len(rows) != len(self.pixels):
            raise ValueError(f"{folder}: {len(self.pixels)} faces but {len(rows)} names")
        self.names = [row["name"] for row in rows]
        self.enlarged = np.array([float(row["enlarged"]) for row in rows]) * (self.side / stored)
        held_out = np.array([is_held_out(name) for name in self.names])
        self.training = np.flatnonzero(~held_out)
        self.validation = np.flatnonzero(held_out)

    def image(self, index: int) -> np.ndarray:
        """Return face ``index`` as (side, side, 3) RGB uint8."""
        pixels = self.pixels[index]
        if len(pixels) == self.side:
            return pixels
        return cv2.resize(pixels, (self.side, self.side), interpolation=cv2.INTER_AREA)

    def face(self, index: int) -> Tensor:
        """Return face ``index`` as (3, side, side) RGB uint8."""
        return torch.from_numpy(self.image(index).transpose(2, 0, 1).copy())
