"""The interface of what enlarges frames, and which one a run uses."""

from __future__ import annotations

from typing import Protocol

from ..media.frames.frame import Frame
from .lanczos import Lanczos


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


def find_upscaler(factor: int) -> Upscaler | None:
    """The upscaler of a run with ``--upscale factor``; None for 1, which leaves frames as they are."""
    return None if factor == 1 else Lanczos(factor)
