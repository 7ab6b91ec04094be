"""A made-up video for the live source: what its detector finds in each frame is what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tests.support.moving import detection
from vidrestore.faces.face import Detection, Face
from vidrestore.faces.tracking.live_source import LiveSource

#: The detections in the frame of a given number.
Script = Callable[[int], list[Detection]]

MARK = (1, 2, 3)  #: the second pixel of every frame


def texture(shot: int) -> np.ndarray:
    """(48, 64, 3) uint8: a random texture for each shot."""
    image = np.random.default_rng(shot).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    return np.kron(image, np.ones((8, 8, 1), np.uint8))


class ScriptedVideo:
    """Numbered frames, and a detector that finds in them what ``script`` says, whatever they show, and
    nothing in turned copies of them.

    A frame shows the texture of its shot, or what ``draw`` returns for its number. ``cuts`` are the numbers
    of the frames that start new shots.
    """

    def __init__(
        self,
        length: int,
        script: Script,
        cuts: tuple[int, ...] = (),
        draw: Callable[[int], np.ndarray] | None = None,
    ) -> None:
        self.length, self.script, self.cuts = length, script, cuts
        self.draw = draw or (lambda number: texture(sum(number >= cut for cut in cuts)))
        self.taken = 0  #: frames that were asked for so far
        self.batches: list[int] = []  #: sizes of the batches that the detector was given

    def detector(self, images: np.ndarray) -> list[list[Detection]]:
        if not (images[:, 0, 1] == MARK).all():
            return [[] for _ in images]
        self.batches.append(len(images))
        return [self.script(int(image[0, 0, 0]) * 256 + int(image[0, 0, 1])) for image in images]

    def items(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield each frame, a string, with its picture."""
        for number in range(self.length):
            self.taken += 1
            image = self.draw(number).copy()
            image[0, 0] = number // 256, number % 256, 0  # by which the detector knows the frame
            image[0, 1] = MARK  # and that it is one
            yield f"frame {number}", image

    def faces(self, scale: tuple[float, float] = (1.0, 1.0), **settings: int) -> list[tuple[Face, ...]]:
        """The faces of each frame, from a ``LiveSource`` with these settings."""
        frames = list(LiveSource(self.detector, **settings).stream(self.items(), scale))
        assert [frame for frame, _ in frames] == [f"frame {number}" for number in range(self.length)]
        return [faces for _, faces in frames]


def face_during(*ranges: tuple[int, int], score: float = 0.99) -> Script:
    """One still face in the frames of each range [start, stop)."""
    return lambda t: [detection(300, score=score)] if any(a <= t < b for a, b in ranges) else []
