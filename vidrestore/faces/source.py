"""The interface of face sources, live or recorded, to the rest of the pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

import numpy as np

from .face import Face
from .json_state import State

Frame = TypeVar("Frame")


class FaceSource(Protocol[Frame]):
    """Provides the faces of each frame of one video, by detecting and tracking them or from a record."""

    tracks: int  #: number of tracks with a face in any frame so far
    faces: int  #: number of faces, summed over all frames so far
    shots: int  #: number of shots that have begun so far; 0 if they are not known

    def stream(
        self, items: Iterable[tuple[Frame, np.ndarray]], scale: tuple[float, float]
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """Yield every frame of ``items`` once, in order, with its faces.

        Each frame comes with the upright image that faces are detected in, (H, W, 3) uint8 BGR, of the same
        size throughout the video. ``scale``, (x, y), is the number of frame pixels per pixel of that image;
        the faces yielded are in pixels of the frame. The source reads only a bounded number of items ahead
        of the frame it yields.
        """
        ...

    def state(self) -> State:
        """Return what another source of the same video needs to resume after the last frame yielded."""
        ...

    def resume(self, state: State) -> None:
        """Make ``stream`` resume from ``state``; its items start with the frame after that one."""
        ...
