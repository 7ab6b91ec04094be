"""The interface of what enlarges frames."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ..media.frames.frame import Frame


class Upscaler(Protocol):
    """Enlarges frames by a whole number; restored faces are pasted into what it returns."""

    @property
    def factor(self) -> int:
        """How many times as wide and as high frames become."""
        ...

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    def __call__(self, frame: Frame) -> Frame:
        """A new frame, ``factor`` times as wide and as high, in the same pixel format and with the same time
        and side data. ``frame`` is not changed, and no other frame matters."""
        ...

    def enlarge_face(self, face: Tensor) -> Tensor | None:
        """A restored ``face`` (3, S, S) RGB in [0, 1], enlarged by a whole number, on any device; None if
        faces are pasted as the restorer made them."""
        ...
