"""Paste-back: blend restored faces into their frame under soft masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from torch import Tensor

from .align import Canvas, Placement, Written
from .face_parser import FaceParser
from .mask import border_mask, oval_masks, own_share

#: Factor by which the edge of a wide mask is steeper: what it takes in reaches the jaw.
_WIDE = 3.0


def face_masks(
    faces: Sequence[Placement],
    restored: Tensor,
    parser: FaceParser | None,
    *,
    extent: Literal["face", "wide", "crop"] = "face",
) -> Tensor:
    """Return the blending masks (N, S, S), float in [0, 1], of ``restored`` faces (N, 3, S, S).

    With a parser the mask follows the outline of the face; without one it is an oval around the landmarks.
    The ``extent`` "wide" takes in its soft edge, "crop" all of the crop but its border. What belongs to
    another face of the frame is left out.
    """
    if extent == "crop":
        masks = border_mask(restored.shape[-1], restored.device).expand(len(faces), -1, -1)
    elif parser is not None:
        masks = parser(restored)
    else:
        landmarks = np.stack([face.landmarks for face in faces])
        masks = oval_masks(landmarks, restored.shape[-1], restored.device)
    if extent == "wide":
        masks = (_WIDE * masks).clamp(max=1)
    if not any(face.neighbours for face in faces):
        return masks
    masks = masks.clone()  # of a crop's border there is one for all
    for mask, face in zip(masks, faces, strict=True):
        if face.neighbours:
            mask.mul_(own_share(face.landmarks, face.neighbours, restored.shape[-1], restored.device))
    return masks


def paste_back(
    canvas: Canvas[Written],
    face: Placement,
    restored: Tensor,
    mask: Tensor,
) -> Written:
    """Blend one restored face into its frame, in place, and return what the frame says was written.

    ``restored`` is (3, S, S) RGB in [0, 1], ``mask`` (S, S) in [0, 1]; ``face`` says where they belong.
    """
    return canvas.blend(restored, mask, face.matrix)
