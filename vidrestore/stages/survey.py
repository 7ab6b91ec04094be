"""Look at the tracks of a video while its frames go by: the condition of each, and whom it shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

import numpy as np

from ..faces.alignment.align import AlignedFace, align
from ..faces.face import Face
from ..faces.geometry import median_roll, roll
from ..faces.identity.load import Embedding
from ..faces.identity.persons import group_tracks
from ..faces.recorded.recording import Condition
from ..media.frames.frame import Frame
from ..restoration.fidelity.covers import STRONG, covered_share
from ..restoration.fidelity.face_quality import FaceQuality, median_quality
from ..restoration.fidelity.rules import choose_w, describe
from ..restoration.fidelity.uncover import uncover

#: Frames of a track from one that is measured to the next, at its beginning.
_INTERVAL = 12
#: Measured frames of a track that are kept. At that number every other one is dropped, and the interval
#: doubles.
_KEPT = 24
#: Side in pixels of aligned faces.
_SIZE = 512


@dataclass(slots=True)
class _Track:
    """What is known of one track."""

    interval: int = _INTERVAL
    seen: int = 0  #: frames so far
    qualities: list[FaceQuality] = field(default_factory=list)
    rolls: list[float] = field(default_factory=list)  #: radians
    covered: list[float] = field(default_factory=list)  #: shares of the face
    embedding: np.ndarray | float = 0.0  #: the sum over measured frames
    measured: int = 0

    def add(self, quality: FaceQuality, rolled: float, covered: float, embedding: np.ndarray) -> None:
        self.qualities.append(quality)
        self.rolls.append(rolled)
        self.covered.append(covered)
        self.embedding = self.embedding + embedding
        self.measured += 1
        if len(self.qualities) == _KEPT:
            self.qualities, self.rolls, self.covered = self.qualities[::2], self.rolls[::2], self.covered[::2]
            self.interval *= 2


class Survey:
    """Measures each track in some of its frames. Memory grows with the number of tracks, not of frames."""

    def __init__(
        self,
        embed: Embedding,
        show: Callable[[int, np.ndarray, FaceQuality, float], object] = lambda *face: None,
    ) -> None:
        """``show`` is called with each face that is measured: its track, the aligned face (512, 512, 3) uint8
        RGB, its quality, and the share of it that something lies over."""
        self._embed = embed
        self._show = show
        self._tracks: dict[int, _Track] = {}
        self._apart: set[tuple[int, int]] = set()

    def look(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Measure those ``faces`` of ``frame`` whose turn it is."""
        self._apart.update(combinations(sorted(face.track for face in faces), 2))
        for face in faces:
            track = self._tracks.setdefault(face.track, _Track())
            if track.seen % track.interval == 0:
                aspect = frame.upright_aspect
                crop = align(frame.image(), face, frame.upright, _SIZE, aspect=aspect)
                self._measure(track, crop, roll(face.landmarks * (aspect, 1)))
            track.seen += 1

    @property
    def conditions(self) -> dict[int, Condition]:
        """The condition of each track."""
        return {track: _condition(known) for track, known in self._tracks.items()}

    @property
    def persons(self) -> dict[int, int]:
        """The number of the person whom each track shows."""
        return group_tracks(self._means(), self._apart, threshold=self._embed.threshold)

    def embeddings(self, persons: Mapping[int, int]) -> dict[int, np.ndarray]:
        """The mean embedding of each person, by number; ``persons`` says whom each track shows."""
        means = self._means()
        return {
            number: np.mean([means[track] for track, person in persons.items() if person == number], axis=0)
            for number in set(persons.values())
        }

    def _means(self) -> dict[int, np.ndarray]:
        return {track: np.asarray(known.embedding) / known.measured for track, known in self._tracks.items()}

    def _measure(self, track: _Track, crop: AlignedFace, rolled: float) -> None:
        placement = crop.placement
        [face] = uncover(crop.image[None], [placement.scale], [placement.landmarks])
        picture = (crop.image * 255).round().byte().permute(1, 2, 0).numpy()
        covered = covered_share(face.cover >= STRONG)
        self._show(placement.face.track, picture, face.quality, covered)
        track.add(face.quality, rolled, covered, self._embed([picture])[0])


def _condition(track: _Track) -> Condition:
    quality, covered = median_quality(track.qualities), median(track.covered)
    rolled = round(math.degrees(median_roll(track.rolls)), 1)
    return Condition(
        size=round(quality.size, 1),
        sharpness=round(quality.sharpness, 3),
        noise=round(quality.noise, 2),
        yaw=round(quality.yaw, 3),
        roll=180.0 if rolled == -180 else rolled,
        in_front=round(covered, 3),
        w=round(choose_w(quality), 3),
        why=describe(quality, covered),
    )
