"""Where an aligned face lies in its frame: a similarity onto the FFHQ five-point template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ..face import Face

#: The five points of an aligned face of 512 pixels, as FFHQ crops and the published weights have them:
#: left eye, right eye, nose, left and right mouth corner.
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
#: Residual in template pixels up to which a point counts in full: about what noise and expression move
#: a landmark. One further off (a turned head's nose, a slip of the detector) pulls in proportion less.
_HUBER = 12.0
_ROUNDS = 10


def alignment_matrix(landmarks: np.ndarray, size: int = TEMPLATE_SIZE) -> np.ndarray:
    """The (3, 3) similarity from frame pixels to an aligned face of ``size`` pixels.

    ``landmarks`` (5, 2) in frame pixels. A least-squares fit to all five points (Umeyama, 1991, in the
    plane), reweighted by Huber's rule. Raises ValueError where the points coincide.
    """
    source = landmarks.astype(float) @ (1, 1j)
    target = (TEMPLATE * (size / TEMPLATE_SIZE)) @ (1, 1j)
    tolerance = _HUBER * size / TEMPLATE_SIZE
    weights = np.ones(len(source))
    for _ in range(_ROUNDS):
        weights /= weights.sum()
        s, t = source - weights @ source, target - weights @ target
        spread = weights @ np.abs(s) ** 2
        if spread < 1e-6:
            raise ValueError("landmarks coincide: there is no face to align")
        turn = weights @ (np.conj(s) * t) / spread
        residual = np.abs(turn * s - t)
        weights = np.minimum(1, tolerance / np.maximum(residual, 1e-9))
    shift = weights @ (target - turn * source) / weights.sum()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag], [0, 0, 1]])


def transform_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """``points`` (N, 2) mapped by an affine (3, 3)."""
    return points @ matrix[:2, :2].T + matrix[:2, 2]


class Canvas(Protocol):
    """What alignment and paste-back need of a frame: to read a crop of it, and to blend one back.

    Crops are square RGB tensors (3, S, S) in [0, 1]; ``matrix`` (3, 3) maps frame pixels to theirs.
    """

    def read(self, matrix: np.ndarray, size: int, device: torch.device | str) -> Tensor: ...

    def blend(self, rgb: Tensor, mask: Tensor, matrix: np.ndarray) -> None: ...


@dataclass(frozen=True, slots=True)
class AlignedFace:
    """A face cut out of its frame."""

    face: Face
    matrix: np.ndarray  #: (3, 3), from the frame's stored pixels to the crop's
    image: Tensor | None  #: (3, S, S) float32 RGB in [0, 1]; None once it is not needed any more
    landmarks: np.ndarray  #: (5, 2) in the crop's pixels


def align(
    canvas: Canvas, face: Face, upright: np.ndarray, size: int, device: torch.device | str = "cpu"
) -> AlignedFace:
    """Cut a face out of its frame, eyes level, at ``size`` pixels.

    ``upright`` (3, 3) maps the frame's stored pixels to those that the face's coordinates are in.
    """
    from_upright = alignment_matrix(face.landmarks, size)
    matrix = from_upright @ upright
    return AlignedFace(
        face, matrix, canvas.read(matrix, size, device), transform_points(face.landmarks, from_upright)
    )
