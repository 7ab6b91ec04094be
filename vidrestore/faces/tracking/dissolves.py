"""Tell when a track has come to show another person: in a dissolve no frame differs much from the one before.

A face is compared with its looks of some time ago, and so is the whole frame. Both must have changed: a
person who turns the head stays in front of the same surroundings. Light must not count, so structure is
compared after its local brightness and contrast are divided out, and dark faces are not compared. A change
counts if the last two looks are unlike all those of a stretch of time: a single look of a face half hidden is
not enough.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from ..json_state import State, pack_array, unpack_array
from .appearance import Appearance
from .thumbnails import correlation, grey_thumbnail, pictures, without_light
from .tracker import LOOKS, Track

_INTERVAL = Fraction(4, 25)  #: seconds from one look that is kept to the next
_MOST_FRAMES = 20  #: between two looks, where a file states a rate that no video has
#: Ages of the looks that are compared, in looks: of short and of long dissolves.
_STRETCHES = ((4, 8), (10, 13), (13, 17))
OLDEST = max(age for stretch in _STRETCHES for age in stretch)  #: of these ages
_DARK = 10.0  #: standard deviation of a face, of 255, below which it is too dark to be compared
_LEAST = 4  #: pairs of looks by which a change is judged

# Below all of these, face and frame show something else than before.
LOOK_BELOW = 0.45  #: similarity of structure without light
APPEARANCE_BELOW = 0.6  #: similarity of :class:`.appearance.Appearance`
FRAME_BELOW = 0.5  #: similarity of frames without light

_MASK_DEVIATION = 9.0  #: of the Gaussian that weights the cells of a face, in cells


def frames_per_look(rate: Fraction) -> int:
    """Frames from one look that is kept to the next, in a video of ``rate`` frames per second."""
    return min(max(1, round(rate * _INTERVAL)), _MOST_FRAMES)


class Dissolves:
    """Compares tracks and frames with those of some time ago."""

    def __init__(self, rate: Fraction) -> None:
        """``rate`` is that of the video, in frames per second."""
        self._step = frames_per_look(rate)
        #: Frames with their numbers: thumbnails, uint8.
        self._frames = deque[tuple[int, np.ndarray]](maxlen=LOOKS)

    def ended(self, image: np.ndarray, frame: int, faces: Iterable[tuple[Track, Appearance]]) -> list[Track]:
        """Take note of a frame, (H, W, 3) uint8 BGR, its number, and its faces. Returns the tracks that show
        another person than before."""
        if frame % self._step:
            return []
        self._frames.append((frame, grey_thumbnail(image).round().astype(np.uint8)))
        changed = []
        for track, appearance in faces:
            if appearance.structure.std() < _DARK:
                continue
            track.looks.append((frame, _look(appearance)))
            if any(self._has_changed(track, stretch) for stretch in _STRETCHES):
                changed.append(track)
        return changed

    def state(self) -> State:
        """Encode it for JSON."""
        return {"frames": [[number, pack_array(thumbnail)] for number, thumbnail in self._frames]}

    def resume(self, state: State) -> None:
        """Continue from a state encoded by :meth:`state`."""
        self._frames.extend((number, unpack_array(thumbnail)) for number, thumbnail in state["frames"])

    def _has_changed(self, track: Track, ages: tuple[int, int]) -> bool:
        """Whether the last looks of ``track`` are unlike all those of these ``ages``, in looks."""
        now = track.looks[-1][0]
        latest = [look for look in track.looks if look[0] >= now - self._step]
        earlier = [look for look in track.looks if ages[0] <= (now - look[0]) / self._step <= ages[1]]
        pairs = [(new, old) for new in latest for old in earlier]
        if len(latest) < 2 or len(pairs) < _LEAST:
            return False
        cells = 24 * 24
        for (_, new), (_, old) in pairs:
            new, old = new.astype(np.float32), old.astype(np.float32)
            if new[:cells] @ old[:cells] > LOOK_BELOW or new[cells:] @ old[cells:] > APPEARANCE_BELOW:
                return False
        thumbnails = dict(self._frames)
        return all(
            correlation(*map(without_light, pictures(thumbnails[old], thumbnails[new]))) <= FRAME_BELOW
            for (new, _), (old, _) in pairs
        )


def _look(appearance: Appearance) -> np.ndarray:
    """(1225,) float16: the face without light, a unit vector, and the vector of its appearance."""
    side = len(appearance.structure)
    squares = ((np.arange(side) - (side - 1) / 2) / _MASK_DEVIATION) ** 2
    weighted = without_light(appearance.structure) * np.exp(-(squares[:, None] + squares) / 4)
    unit = weighted.ravel() / max(float(np.linalg.norm(weighted)), 1e-6)
    return np.concatenate([unit, appearance.vector]).astype(np.float16)
