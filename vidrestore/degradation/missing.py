"""Faces that lack something: their colours, or the pixels of holes. From these a network learns to colour
faces, or to fill holes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np
import torch
from torch import Tensor

#: Share of faces that keep a little of their colours, and how much at most: faded colours are renewed, too.
_FADED, _KEPT = 0.15, 0.4
#: Deviation of a faded face's cast of colour, of 255.
_CAST = 8.0
#: How much red, green and blue count in grey: in luma, and on films that are sensitive to blue or to all.
_FILMS = ((0.299, 0.587, 0.114), (0.2, 0.4, 0.4), (0.33, 0.34, 0.33))
#: Holes of a 512-pixel face: how many strokes, their corners, and in pixels their widths and the lengths of
#: their pieces.
_STROKES, _CORNERS, _WIDTH, _LENGTH = (1, 8), (2, 9), (12.0, 88.0), (30.0, 160.0)
#: Share of holes that are scratches: so wide, and as long as the face is high.
_SCRATCHES, _SCRATCH = 0.3, (3.0, 12.0)


def without_colours(face: Tensor, rng: np.random.Generator) -> Tensor:
    """A face (3, S, S) RGB uint8 in grey, or in faded colours."""
    films = np.array(_FILMS)
    weights = films.T @ rng.dirichlet(np.ones(len(films)))
    colours = face.float()
    grey = torch.tensordot(torch.tensor(weights, dtype=torch.float32), colours, 1).expand_as(colours)
    if rng.random() < _FADED:
        cast = torch.tensor(rng.normal(0, _CAST, (3, 1, 1)), dtype=torch.float32)
        grey = grey + float(rng.uniform(0, _KEPT)) * (colours - grey) + cast
    return grey.round().clamp(0, 255).to(torch.uint8)


def with_holes(face: Tensor, rng: np.random.Generator) -> Tensor:
    """A face (3, S, S) RGB uint8 with white holes: strokes of a brush, or scratches."""
    side = face.shape[-1]
    hole = np.zeros((side, side), np.uint8)
    for _ in range(rng.integers(*_STROKES)):
        path, width = _scratch(rng) if rng.random() < _SCRATCHES else _stroke(rng)
        thick = max(1, round(width * side / 512))
        cv2.polylines(hole, [np.rint(path * side).astype(np.int32)], False, 255, thick)
    return torch.where(torch.from_numpy(hole) > 0, torch.full_like(face, 255), face)


def _stroke(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """The corners (N, 2) of a stroke, of 1, and its width in pixels of 512."""
    corners = int(rng.integers(*_CORNERS))
    turns = np.cumsum(rng.normal(0, 1.0, corners)) + rng.uniform(0, 2 * np.pi)
    steps = rng.uniform(*_LENGTH, corners)[:, None] / 512 * np.column_stack((np.cos(turns), np.sin(turns)))
    return rng.uniform(0.15, 0.85, 2) + np.cumsum(steps, axis=0), float(rng.uniform(*_WIDTH))


def _scratch(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """The same of a scratch down the film."""
    x = rng.uniform(0.1, 0.9) + np.cumsum(rng.normal(0, 0.01, 8))
    return np.column_stack((x, np.linspace(-0.05, 1.05, 8))), float(rng.uniform(*_SCRATCH))


#: What faces lack, by the name of the task that a network learns from it.
MISSING: Mapping[str, Callable[[Tensor, np.random.Generator], Tensor]] = MappingProxyType(
    {"colour": without_colours, "inpaint": with_holes}
)
