"""Evaluation on aligned faces: degrade clean ones, restore them by several methods, and compare."""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..degradation.degrade import LEVELS, degrade
from ..errors import InputError
from .face_metrics import FaceMeter
from .face_set import FaceSet, is_face_set
from .images import read_image, to_rows
from .methods import EvaluatedModel, apply_methods
from .sheet import SheetRow, thumbnail
from .tables import Tally

T = TypeVar("T")

#: A name and a clean aligned face (3, S, S) RGB uint8.
NamedFace = tuple[str, Tensor]

#: Image files that a folder of faces may contain.
SUFFIXES = {".jpg", ".jpeg", ".png"}
#: Faces that go through a model at a time.
BATCH = 4


@dataclass(frozen=True)
class FaceEvaluation:
    """The results of an evaluation, by level and by method."""

    levels: dict[str, dict[str, dict[str, float]]]  #: mean figures
    per_face: dict[str, dict[str, dict[str, list[float]]]]  #: figures of each face
    sheets: dict[str, list[SheetRow]]  #: by level: rows of a contact sheet, the methods and the clean face

    def data(self) -> dict[str, Any]:
        """Return the figures as JSON can represent them."""
        return {
            level: {
                method: row | {"per_face": self.per_face[level][method]} for method, row in methods.items()
            }
            for level, methods in self.levels.items()
        }


def evaluate_faces(
    faces: Sequence[NamedFace],
    models: Sequence[EvaluatedModel],
    weights: Sequence[float],
    levels: Sequence[str],
    meter: FaceMeter,
    *,
    shown: int = 0,
) -> FaceEvaluation:
    """Compare the baselines, and each model at each of the fidelity ``weights``, on degraded faces.

    Args:
        faces: Clean faces.
        models: The models to evaluate.
        weights: Fidelity weights.
        levels: Names of degradations, keys of ``LEVELS``.
        meter: Measures the faces.
        shown: Put this many faces, evenly spaced, on the contact sheets.
    """
    on_sheet = set(spread(range(len(faces)), shown))
    tallies: dict[str, dict[str, Tally]] = {level: defaultdict(Tally) for level in levels}
    sheets: dict[str, list[SheetRow]] = {level: [] for level in levels}
    clean_features = []
    streams = [restored_faces(faces, level, models, weights) for level in levels]
    progress = tqdm(faces, unit="face", disable=None)
    for number, ((name, clean), *at_levels) in enumerate(zip(progress, *streams, strict=True)):
        clean_face = meter.clean_face(clean)
        clean_features.append(clean_face.features)
        for level, images in zip(levels, at_levels, strict=True):
            comparison = meter.compare(torch.stack(list(images.values())), clean_face)
            for i, method in enumerate(images):
                tallies[level][method].add(comparison, i)
            if number in on_sheet:
                row = [thumbnail(to_rows(image)) for image in (*images.values(), clean)]
                sheets[level].append((f"{name}, {level}", row))
    figures = {
        level: {method: tally.summary() for method, tally in methods.items()}
        for level, methods in tallies.items()
    }
    if len(faces) > 1:
        for level, methods in figures.items():
            for method, row in methods.items():
                row["frechet"] = tallies[level][method].frechet(clean_features)
    per_face = {
        level: {method: tally.figures for method, tally in methods.items()}
        for level, methods in tallies.items()
    }
    return FaceEvaluation(figures, per_face, sheets)


def restored_faces(
    faces: Sequence[NamedFace], level: str, models: Sequence[EvaluatedModel], weights: Sequence[float]
) -> Iterator[dict[str, Tensor]]:
    """Yield for each face its images by method, (3, S, S) uint8: the degraded face and every restored one."""
    for start in range(0, len(faces), BATCH):
        batch = faces[start : start + BATCH]
        # The noise is seeded by the face's name, so that it does not depend on the other faces.
        degraded = [degrade(face, LEVELS[level], seed=zlib.crc32(name.encode())) for name, face in batch]
        methods = apply_methods(torch.stack(degraded), LEVELS[level].scale, models, weights)
        for i in range(len(batch)):
            yield {name: images[i] for name, images in methods.items()}


def load_faces(folder: Path, count: int | None, *, most_enlarged: float = math.inf) -> list[NamedFace]:
    """Load clean aligned faces: ``count`` of them, evenly spaced, or all.

    ``folder`` is one that ``tools/prepare_faces.py`` wrote, of which the validation faces are taken, or one
    of JPEG and PNG files. Of a prepared folder, faces that alignment enlarged by more than ``most_enlarged``
    are left out. Raises InputError.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; give one that tools/prepare_faces.py wrote, or one of images"
        )
    if is_face_set(folder):
        try:
            prepared = FaceSet(folder)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{folder} is not as tools/prepare_faces.py writes it ({error}); prepare it again"
            ) from None
        validation = prepared.validation[prepared.enlarged[prepared.validation] <= most_enlarged]
        chosen = spread(validation.tolist(), count)
        faces = [(prepared.names[i], prepared.face(i)) for i in chosen]
        problem = f"{folder} contains no validation faces; prepare more faces"
    else:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
        faces = [(p.name, read_image(p)) for p in spread(paths, count)]
        problem = f"{folder} contains neither faces.npy nor JPEG or PNG files; give a folder of aligned faces"
    if not faces:
        raise InputError(problem)
    return faces


def spread(items: Sequence[T], count: int | None) -> list[T]:
    """Return ``count`` of the items, evenly spaced, or all."""
    if count is None or count >= len(items):
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, count).round().astype(int)]


def check_sizes(faces: Sequence[NamedFace], models: Sequence[EvaluatedModel]) -> None:
    """Raises InputError if a face does not have the input size of every model."""
    for model in models:
        side = model.restorer.spec.input_size
        for name, face in faces:
            if face.shape != (3, side, side):
                height, width = face.shape[1:]
                raise InputError(
                    f"{name} has {width} x {height} pixels, but {model.name} restores aligned faces of "
                    f"{side} x {side}; align the faces with tools/prepare_faces.py"
                )
