"""Where faces come from: what every source of them offers to the rest of the pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

import numpy as np

from .face import Face, TrackSettings
from .json_state import State

Frame = TypeVar("Frame")


class FaceSource(Protocol):
    """Says which faces each frame of one video has: live, by looking at it, or from a record."""

    tracks: int  #: how many tracks have had a face in a frame so far
    faces: int  #: how many faces, over all frames so far

    def stream(
        self, items: Iterable[tuple[Frame, np.ndarray]], scale: tuple[float, float]
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """Every frame of ``items`` once, in order, with its faces in the frame's pixels.

        A frame comes with the picture that faces are looked for in, (H, W, 3) uint8 BGR, of one size
        for the whole video and ``scale``, (x, y), times smaller than the frame. The source takes a
        bounded number of items more than it has given out.
        """
        ...

    def settings(self, track: int) -> TrackSettings:
        """What is set for a track by hand."""
        ...

    def state(self) -> State:
        """What a source of the same video needs to go on from here: behind the last frame given out."""
        ...

    def resume(self, state: State) -> None:
        """Let ``stream`` go on from there; its items begin with the frame behind that one."""
        ...
