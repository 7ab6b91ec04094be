"""The endless, repeatable stream of training pairs made from aligned faces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..degradation.degrade import Degradation, degrade
from ..degradation.draw import draw
from ..degradation.film import draw_look
from ..degradation.missing import MISSING
from ..measure.face_set import FaceSet
from .stopping import ignore_stop_signals


class Pairs(Dataset):
    """Training pairs (clean, degraded), each (3, S, S) uint8.

    Pair ``i`` depends only on ``i`` and the seed, so a resumed run gets the same pairs as an uninterrupted
    one. ``form`` is the form of the degradations: "video" or "paper", or a task of
    :data:`..degradation.missing.MISSING`, whose faces lack something.
    """

    def __init__(
        self, faces: FaceSet, *, seed: int, length: int, degraded: bool = True, form: str = "video"
    ) -> None:
        self.faces = faces
        self.seed = seed
        self.length = length
        self.degraded = degraded
        self.form = form
        # Enlarged faces lack detail, and the network would learn that: draw them less often.
        weights = np.minimum(1.0, 1.0 / faces.enlarged[faces.training]) ** 1.5
        self.probabilities = weights / weights.sum()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        clean, degradation, seed = self.recipe(index)
        if not self.degraded:
            return clean, clean
        return clean, degraded_face(clean, degradation, seed, form=self.form)

    def recipe(self, index: int) -> tuple[Tensor, Degradation, int]:
        """Return the clean face of pair ``index``, its degradation and the seed of the degradation."""
        rng = np.random.default_rng((self.seed, index))
        number = int(rng.choice(self.faces.training, p=self.probabilities))
        look = draw_look(rng)
        clean = move(self.faces.image(number), rng)
        if self.form != "colour":  # whose faces are to be in natural colours
            clean = look(clean)
        degradation = Degradation() if self.form in MISSING else draw(rng, form=self.form, mono=look.mono)
        return torch.from_numpy(clean.transpose(2, 0, 1).copy()), degradation, int(rng.integers(2**31))


class Recipes(Pairs):
    """The same pairs before degradation, as (clean, degradation, seed), for a trainer that degrades them on
    its device with ``degrade_batch``."""

    def __getitem__(  # pyright: ignore[reportIncompatibleMethodOverride] - items of another type
        self, index: int
    ) -> tuple[Tensor, Degradation, int]:
        return self.recipe(index)


def degraded_face(clean: Tensor, degradation: Degradation, seed: int, *, form: str) -> Tensor:
    """A face (3, S, S) uint8 with a degradation, or, for the form of a task, with what that says missing."""
    if form in MISSING:
        return MISSING[form](clean, np.random.default_rng(seed))
    return degrade(clean, degradation, seed=seed)


def collate(items: list[tuple]) -> tuple:
    """Collate pairs to (clean, degraded), or recipes to (clean, degradations, seeds): faces are stacked, the
    others are lists."""
    return tuple(
        torch.stack(column) if isinstance(column[0], Tensor) else list(column)
        for column in zip(*items, strict=True)
    )


def move(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Augment a face (S, S, 3) RGB uint8: flip it at random, and rotate, scale and shift it slightly."""
    side = face.shape[0]
    if rng.random() < 0.5:
        face = face[:, ::-1]
    angle, zoom = rng.normal(0, 4.0), np.exp(rng.normal(0, 0.05))
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), angle, zoom)
    matrix[:, 2] += rng.normal(0, 0.012 * side, 2)
    return cv2.warpAffine(
        np.ascontiguousarray(face),
        matrix,
        (side, side),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )


def batches(dataset: Dataset[Any], *, batch: int, start: int, workers: int) -> Iterator[tuple]:
    """Yield batches in order, from batch number ``start``: (clean, degraded), or (clean, degradations, seeds)
    of :class:`Recipes`. Faces are (batch, 3, S, S) uint8."""
    items: Any = dataset  # torch's Dataset does not declare __len__
    order = range(start * batch, len(items) // batch * batch)
    loader = DataLoader(
        dataset,
        batch_size=batch,
        sampler=order,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        collate_fn=collate,
        worker_init_fn=ignore_stop_signals,
    )
    return iter(loader)


def to_network(x: Tensor) -> Tensor:
    """Convert faces (N, 3, S, S) uint8 to float32 in [-1, 1], channels last."""
    return x.contiguous(memory_format=torch.channels_last).float().div_(127.5).sub_(1.0)
