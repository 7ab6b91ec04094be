"""Align faces: fit a similarity transform from landmarks to the FFHQ five-point template, and warp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..face import Face, Neighbour

#: (5, 2): the landmarks of an aligned face of 512 x 512 pixels, as in FFHQ crops and as the published
#: weights expect them: left eye, right eye, nose, left and right mouth corner.
TEMPLATE = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
TEMPLATE_SIZE = 512
#: Huber's threshold in template pixels: about how far noise and expression move a landmark. A landmark with
#: a larger residual (the nose of a turned head, an error of the detector) gets proportionally less weight.
_HUBER = 12.0
_ITERATIONS = 10
_CELLS = 64  #: of a crop in each direction


def alignment_matrix(landmarks: np.ndarray, size: int = TEMPLATE_SIZE) -> np.ndarray:
    """Return the (3, 3) similarity from frame pixels to pixels of an aligned face of ``size`` x ``size``.

    ``landmarks`` (5, 2) are in frame pixels. The fit minimises the squared distances of all five points to
    the template (Umeyama, 1991, in two dimensions), reweighted iteratively by Huber's rule. Raises ValueError
    if the points coincide.
    """
    # Points as complex numbers x + iy: a similarity is then source * turn + shift.
    source = landmarks.astype(float) @ (1, 1j)
    target = (TEMPLATE * (size / TEMPLATE_SIZE)) @ (1, 1j)
    tolerance = _HUBER * size / TEMPLATE_SIZE
    weights = np.ones(len(source))
    turn = np.complex128(1)
    for _ in range(_ITERATIONS):
        weights /= weights.sum()
        s, t = source - weights @ source, target - weights @ target
        spread = weights @ np.abs(s) ** 2
        if spread < 1e-6:
            raise ValueError("the landmarks coincide, so the face cannot be aligned")
        turn = weights @ (np.conj(s) * t) / spread
        residual = np.abs(turn * s - t)
        weights = np.minimum(1, tolerance / np.maximum(residual, 1e-9))
    shift = weights @ (target - turn * source) / weights.sum()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag], [0, 0, 1]])


def transform_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Map ``points`` (N, 2) by an affine ``matrix`` (3, 3)."""
    return points @ matrix[:2, :2].T + matrix[:2, 2]


Written = TypeVar("Written", covariant=True)


class Canvas(Protocol[Written]):
    """The image of a frame, as alignment and paste-back use it.

    Crops are square RGB tensors (3, S, S), float, in [0, 1]. ``matrix`` (3, 3) maps stored pixels of the
    frame, which may be rotated against the upright frame, to pixels of the crop.
    """

    def read(self, matrix: np.ndarray, size: int, device: torch.device | str) -> Tensor:
        """Warp a crop of ``size`` x ``size`` pixels out of the frame, onto ``device``."""
        ...

    def blend(self, rgb: Tensor, mask: Tensor, matrix: np.ndarray) -> Written:
        """Warp a crop back into the frame, blended under ``mask`` (S, S) in [0, 1]. What a crop cannot hold
        of the frame is kept. Returns what was written, in the canvas's own terms."""
        ...


@dataclass(frozen=True, slots=True)
class Placement:
    """How a face lies in its frame and in its crop: what pasting back needs."""

    face: Face
    matrix: np.ndarray  #: (3, 3): from stored pixels of the frame to pixels of the crop
    landmarks: np.ndarray  #: (5, 2) in pixels of the crop
    neighbours: tuple[Neighbour, ...] = ()  #: in pixels of the crop

    @property
    def scale(self) -> float:
        """Pixels of the crop per pixel of the frame."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:2, :2]))))

    def inside(self, width: int, height: int, size: int) -> np.ndarray:
        """Which cells of the crop of ``size`` x ``size`` pixels show the frame of ``width`` x ``height``
        stored pixels, by their middles: (64, 64) bool. The others repeat its border."""
        middles = (np.arange(_CELLS) + 0.5) * (size / _CELLS)
        at = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)
        places = transform_points(at, np.linalg.inv(self.matrix))
        shown = ((places >= 0) & (places <= (width, height))).all(axis=1)
        return shown.reshape(_CELLS, _CELLS)


@dataclass(frozen=True, slots=True)
class AlignedFace:
    """A face cut out of its frame, eyes level, onto the template."""

    placement: Placement
    image: Tensor  #: (3, S, S) float32 RGB in [0, 1]


def align(
    canvas: Canvas[Any],
    face: Face,
    upright: np.ndarray,
    size: int,
    device: torch.device | str = "cpu",
    *,
    aspect: float = 1.0,
) -> AlignedFace:
    """Cut ``face`` out of its frame, eyes level, as a crop of ``size`` x ``size`` pixels on ``device``.

    ``upright`` (3, 3) maps stored pixels of the frame to upright ones, which the coordinates of ``face`` are
    in; ``aspect`` is the width of an upright pixel relative to its height, and those of the crop are square.
    Raises ValueError if the landmarks coincide.
    """
    from_upright = alignment_matrix(face.landmarks * (aspect, 1), size) @ np.diag((aspect, 1.0, 1.0))
    matrix = from_upright @ upright
    neighbours = tuple(
        other._replace(landmarks=transform_points(other.landmarks, from_upright)) for other in face.neighbours
    )
    placement = Placement(face, matrix, transform_points(face.landmarks, from_upright), neighbours)
    return AlignedFace(placement, canvas.read(matrix, size, device))
