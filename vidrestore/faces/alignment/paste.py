"""Paste-back: restored faces into their frame, under soft masks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .align import AlignedFace, Canvas
from .face_parser import FaceParser
from .mask import oval_masks


def face_masks(faces: list[AlignedFace], restored: Tensor, parser: FaceParser | None) -> Tensor:
    """Where each restored face (N, 3, S, S) replaces what was there: masks (N, S, S) in [0, 1].

    With a parser the mask follows the face's outline, else it is an oval about its landmarks; either
    is scaled by the face's strength, so that it fades in and out.
    """
    if parser is not None:
        masks = parser(restored)
    else:
        landmarks = np.stack([face.landmarks for face in faces])
        masks = oval_masks(landmarks, restored.shape[-1], restored.device)
    strengths = torch.tensor([face.face.strength for face in faces], device=masks.device)
    return masks * strengths.view(-1, 1, 1)


def paste_back(canvas: Canvas, face: AlignedFace, restored: Tensor, mask: Tensor) -> None:
    """Blend one restored face (3, S, S) into its frame, in place."""
    canvas.blend(restored, mask, face.matrix)
