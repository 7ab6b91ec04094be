"""Paste-back: restored faces into their frame, under soft masks."""

from __future__ import annotations

from torch import Tensor

from .align import AlignedFace, Canvas
from .mask import oval_mask
from .parse import FaceParser


def face_masks(faces: list[AlignedFace], restored: Tensor, parser: FaceParser | None) -> list[Tensor]:
    """Where each restored face (N, 3, S, S) replaces what was there: N masks (S, S) in [0, 1].

    With a parser the mask follows the face's outline, else it is an oval about its landmarks; either
    is scaled by the face's strength, so that it fades in and out.
    """
    if parser is not None:
        masks = list(parser(restored))
    else:
        masks = [oval_mask(face.landmarks, restored.shape[-1], restored.device) for face in faces]
    return [mask * face.face.strength for mask, face in zip(masks, faces, strict=True)]


def paste_back(canvas: Canvas, face: AlignedFace, restored: Tensor, mask: Tensor) -> None:
    """Blend one restored face (3, S, S) into its frame, in place."""
    canvas.blend(restored, mask, face.matrix)
