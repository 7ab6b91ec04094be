"""Harm, counted: how many restored faces have eyes or a mouth farther from the truth than the input's.

Faces are degraded, restored with the limits of a run, and compared part by part with the clean face by the
perceptual distance. A part is harmed if its distance exceeds the input's by more than the measure itself
varies: by what re-encoding the input as JPEG of quality 90, which nobody sees, does to its distance.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ..degradation.codecs import compress_jpeg
from ..degradation.degrade import LEVELS, degrade
from ..errors import InputError
from ..faces.alignment.align import TEMPLATE, TEMPLATE_SIZE
from ..restoration.fidelity.face_quality import measure_quality
from ..restoration.guarded import render_within_limits
from ..restoration.restorer import FaceRestorer
from .clips import ClipFace
from .face_evaluation import BATCH, NamedFace
from .images import to_rows
from .perceptual import PerceptualDistance
from .sheet import SheetRow

#: Rows and columns of the parts of an aligned face of 512 pixels.
PARTS = {
    "left eye": (slice(200, 280), slice(137, 249)),
    "right eye": (slice(200, 280), slice(263, 375)),
    "mouth": (slice(324, 420), slice(177, 337)),
}
#: Factor by which parts are reduced before they are compared, as whole faces are (see ``PERCEPTUAL_SIZE``).
_SHRINK = 2
#: JPEG quality of the re-encoded input, and the share of parts whose change is the tolerance.
_REENCODED, _QUANTILE = 90, 0.95


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One part of one restored face."""

    face: str
    part: str
    input: float  #: distance of the input's part from the truth's
    restored: float  #: the same of the restored part
    images: tuple[np.ndarray, ...] = field(repr=False)  #: input, restored, truth: (H, W, 3) RGB uint8 each

    @property
    def excess(self) -> float:
        """How much farther from the truth the restored part is than the input's."""
        return self.restored - self.input


@dataclass(frozen=True, slots=True)
class HarmCount:
    """The parts of all faces at one level and one ``w``."""

    records: Sequence[PartRecord]
    tolerance: float

    def share(self, parts: Sequence[str] = tuple(PARTS)) -> float:
        """The share of faces with at least one harmed part of ``parts``."""
        faces = {record.face for record in self.records}
        harmed = {r.face for r in self.records if r.part in parts and r.excess > self.tolerance}
        return len(harmed) / len(faces)

    def figures(self) -> dict[str, float]:
        """The shares of faces with harmed eyes, with a harmed mouth and with either, and mean distances."""
        return {
            "harmed": self.share(),
            "eyes": self.share(("left eye", "right eye")),
            "mouth": self.share(("mouth",)),
            "tolerance": self.tolerance,
            "input": float(np.mean([record.input for record in self.records])),
            "restored": float(np.mean([record.restored for record in self.records])),
        }


class PartMeter:
    """Measures the perceptual distance of the parts of aligned faces, (N, 3, 512, 512) RGB uint8: the mean of
    that of the part and of the part mirrored top to bottom, as :class:`.face_metrics.FaceMeter` says why."""

    def __init__(self, net: str = "vgg", *, device: torch.device | str = "cpu") -> None:
        """``net`` is a network of :class:`.perceptual.PerceptualDistance`."""
        self._net = PerceptualDistance(net).eval().to(device)
        self._device = device

    @torch.inference_mode()
    def __call__(self, images: Tensor, clean: Tensor) -> np.ndarray:
        """Return the distances (N, parts) of ``images`` from ``clean``, in the order of ``PARTS``."""
        distances = []
        for rows, columns in PARTS.values():
            shown, truth = (self._prepared(x[..., rows, columns]) for x in (images, clean))
            both = self._net(shown, truth) + self._net(shown.flip(-2), truth.flip(-2))
            distances.append(both.cpu().numpy() / 2)
        return np.stack(distances, axis=1)

    def _prepared(self, part: Tensor) -> Tensor:
        return F.avg_pool2d(part.to(self._device).float() / 127.5 - 1, _SHRINK)


def count_harm(
    faces: Sequence[NamedFace],
    restorer: FaceRestorer,
    weights: Sequence[float],
    levels: Sequence[str],
    meter: PartMeter,
) -> dict[str, dict[float, HarmCount]]:
    """Count the harm that ``restorer`` does at each of the fidelity ``weights``.

    Args:
        faces: Clean aligned faces of 512 x 512 pixels.
        restorer: The model.
        weights: Fidelity weights.
        levels: Names of degradations, keys of ``LEVELS``.
        meter: Measures the parts.

    Returns:
        The counts by level and by weight.
    """
    result = {}
    for level in levels:
        records: dict[float, list[PartRecord]] = {w: [] for w in weights}
        changes = []
        for start in tqdm(range(0, len(faces), BATCH), desc=level, unit="batch", disable=None):
            names, clean = zip(*faces[start : start + BATCH], strict=True)
            clean = torch.stack(clean)
            # The noise is seeded by the face's name, so that it does not depend on the other faces.
            degraded = torch.stack(
                [
                    degrade(face, LEVELS[level], seed=zlib.crc32(name.encode()))
                    for name, face in zip(names, clean, strict=True)
                ]
            )
            before = meter(degraded, clean)
            changes.append(np.abs(meter(_reencoded(degraded), clean) - before))
            for w, restored in restore_within_limits(restorer, degraded, weights).items():
                after = meter(restored, clean)
                records[w] += _records(names, before, after, (degraded, restored, clean))
        tolerance = float(np.quantile(np.concatenate(changes), _QUANTILE))
        result[level] = {w: HarmCount(rows, tolerance) for w, rows in records.items()}
    return result


def count_clip_harm(faces: Iterable[ClipFace], meter: PartMeter) -> HarmCount:
    """Count the harm in the ``faces`` of three clips: the clean one is their reference, the others are its
    degraded version and that restored. Raises InputError if there are no faces."""
    records, changes = [], []
    for face in faces:
        clean, degraded, restored = face.clean[None], face.images[:1], face.images[1:2]
        before = meter(degraded, clean)
        changes.append(np.abs(meter(_reencoded(degraded), clean) - before))
        name = f"frame {face.frame}, track {face.track}"
        records += _records([name], before, meter(restored, clean), (degraded, restored, clean))
    if not records:
        raise InputError("the clean clip shows no face; give one that does")
    return HarmCount(records, float(np.quantile(np.concatenate(changes), _QUANTILE)))


def restore_within_limits(
    restorer: FaceRestorer, faces: Tensor, weights: Sequence[float]
) -> dict[float, Tensor]:
    """Restore faces (N, 3, 512, 512) RGB uint8 as a run does, by fidelity weight, on the CPU."""
    images = faces.float() / 255
    landmarks = np.repeat(TEMPLATE[None] * (faces.shape[-1] / TEMPLATE_SIZE), len(faces), axis=0)
    qualities = measure_quality(images, [1.0] * len(faces), landmarks)
    observations = restorer.observe(images)
    results = {}
    for w in weights:
        restored = render_within_limits(
            restorer, observations, images, [w] * len(faces), landmarks, qualities
        ).images
        results[w] = (restored * 255).round().to(torch.uint8).cpu()
    return results


def worst(counts: Mapping[str, Mapping[float, HarmCount]], number: int) -> list[SheetRow]:
    """The ``number`` parts that are farthest beyond their input, over all levels and weights, as rows of a
    contact sheet: input, restored, truth. Each part of a face appears once for a level."""
    found: dict[tuple[str, str, str], tuple[float, PartRecord]] = {}
    for level, by_weight in counts.items():
        for w, count in by_weight.items():
            for record in count.records:
                key = (level, record.face, record.part)
                if key not in found or record.excess > found[key][1].excess:
                    found[key] = (w, record)
    rows = sorted(found.items(), key=lambda item: -item[1][1].excess)[:number]
    return [
        (
            f"{level} w={w:g} {part} {record.input:.3f} -> {record.restored:.3f} {face}",
            [_enlarged(image) for image in record.images],
        )
        for (level, face, part), (w, record) in rows
    ]


def _reencoded(images: Tensor) -> Tensor:
    rows = [compress_jpeg(to_rows(image), _REENCODED) for image in images]
    return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)


def _records(
    names: Sequence[str], before: np.ndarray, after: np.ndarray, images: Sequence[Tensor]
) -> list[PartRecord]:
    return [
        PartRecord(
            name,
            part,
            float(before[i, j]),
            float(after[i, j]),
            tuple(to_rows(x[i])[rows, columns].copy() for x in images),
        )
        for i, name in enumerate(names)
        for j, (part, (rows, columns)) in enumerate(PARTS.items())
    ]


def _enlarged(image: np.ndarray) -> np.ndarray:
    """``image`` (H, W, 3) on a square, twice as large and more, as a contact sheet shows it."""
    height, width = image.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), np.uint8)
    top = (side - height) // 2
    square[top : top + height, :width] = image
    return cv2.resize(square, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
