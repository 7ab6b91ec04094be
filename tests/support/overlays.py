"""Things drawn over aligned faces, as they lie over faces in videos."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

#: Draws in white on a black image (512, 512) uint8 where something lies.
Shape = Callable[[np.ndarray], object]


def _text(words: str, place: tuple[int, int]) -> Shape:
    return lambda area: cv2.putText(area, words, place, cv2.FONT_HERSHEY_SIMPLEX, 1.4, 255, 5, cv2.LINE_AA)


def _line(start: tuple[int, int], end: tuple[int, int], width: int = 3) -> Shape:
    return lambda area: cv2.line(area, start, end, 255, width, cv2.LINE_AA)


def _specks(area: np.ndarray) -> None:
    for x, y in ((180, 300), (300, 190), (340, 330), (230, 150), (260, 430)):
        cv2.ellipse(area, (x, y), (9, 5), 30, 0, 360, 255, -1, cv2.LINE_AA)


#: Each with its shape, its colour (RGB), and its opacity.
OVERLAYS: dict[str, tuple[Shape, tuple[int, int, int], float]] = {
    "white text": (_text("What did you say?", (60, 390)), (255, 255, 255), 1.0),
    "yellow text": (_text("LIVE NEWS", (130, 310)), (250, 220, 20), 1.0),
    "white scratch": (_line((200, 0), (190, 511)), (250, 250, 250), 0.9),
    "black scratch": (_line((300, 0), (310, 511)), (5, 5, 5), 0.9),
    "drop-out": (_line((120, 260), (400, 262)), (255, 255, 255), 1.0),
    "half transparent logo": (
        lambda area: cv2.circle(area, (330, 300), 50, 255, 6, cv2.LINE_AA),
        (255, 255, 255),
        0.6,
    ),
    "dust": (_specks, (245, 245, 245), 1.0),
}


def overlaid(face: Tensor, name: str) -> tuple[Tensor, np.ndarray]:
    """``face`` (3, 512, 512) in [0, 1] with an overlay, and where it lies: (512, 512) float32 in [0, 1]."""
    draw, colour, opacity = OVERLAYS[name]
    area = np.zeros((512, 512), np.uint8)
    draw(area)
    share = torch.from_numpy(area).float() / 255
    over = torch.tensor(colour, dtype=face.dtype)[:, None, None] / 255
    return face.lerp(over.expand_as(face), (share * opacity).to(face)), share.numpy()
