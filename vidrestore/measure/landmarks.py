"""How much the landmarks of a face jitter from frame to frame, in clips of the same scene."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from ..faces.alignment.align import alignment_matrix
from ..faces.detection.detector import Detector
from ..faces.detection.working_size import DetectorInput
from ..faces.face import Detection, Face
from ..faces.tracking.live_source import LiveSource
from ..media.decode.decoder import Decoder
from ..media.frames.thumbnails import Thumbnails
from ..media.timeline import Span

#: Landmarks further apart than this on average, in pixels of a 512-pixel face, are another face's: half of
#: the way between the eyes.
_APART = 63.0


def landmark_jitter(
    reference: Path, clips: Sequence[Path], detector: Detector, *, span: Span | None = None
) -> dict[str, np.ndarray]:
    """How much the landmarks shake in each of M ``clips``, beyond how they move in ``reference``: (M,) each,
    in pixels of a 512-pixel face.

    The mean norm of the second difference, over three consecutive frames, of a landmark's distance from
    where the smoothed track of the reference has it. ``jitter`` is of the landmarks as faces are aligned
    by them, smoothed; ``raw_jitter`` of what the detector sees in each frame by itself. NaN where no face
    of the reference was found in three consecutive frames of a clip.
    """
    meter = JitterMeter(len(clips))
    with ExitStack() as stack:
        streams = [_followed(stack.enter_context(Decoder(p, span)), detector) for p in (reference, *clips)]
        for number, ((faces, _), *others) in enumerate(zip(*streams, strict=True)):
            for face in faces:
                smoothed = [[other.landmarks for other in found] for found, _ in others]
                raw = [[detection.landmarks for detection in found] for _, found in others]
                meter.add(number, face, smoothed, raw)
    return meter.figures()


class JitterMeter:
    """Second differences of landmarks, frame by frame. The last three frames of a track are kept."""

    def __init__(self, clips: int) -> None:
        """``clips``: how many clips are compared."""
        self._clips = clips
        self._last: dict[int, deque[tuple[int, np.ndarray]]] = {}
        self._sums = np.zeros((2, clips))
        self._counts = np.zeros((2, clips), int)

    def add(
        self,
        frame: int,
        face: Face,
        smoothed: Sequence[Sequence[np.ndarray]],
        raw: Sequence[Sequence[np.ndarray]],
    ) -> None:
        """A face of the reference, and the landmarks (5, 2) of all faces that each clip has in ``frame``."""
        scale = float(np.sqrt(np.linalg.det(alignment_matrix(face.landmarks)[:2, :2])))
        offsets = np.full((2, self._clips, 5, 2), np.nan)
        for i, kind in enumerate((smoothed, raw)):
            for j, candidates in enumerate(kind):
                near = [(points - face.landmarks) * scale for points in candidates]
                distances = [np.linalg.norm(offset, axis=1).mean() for offset in near]
                if distances and min(distances) < _APART:
                    offsets[i, j] = near[int(np.argmin(distances))]
        last = self._last.setdefault(face.track, deque(maxlen=3))
        last.append((frame, offsets))
        if len(last) == 3 and last[0][0] == frame - 2:
            first, middle, now = (value for _, value in last)
            second = np.linalg.norm(first - 2 * middle + now, axis=-1).mean(axis=-1)
            known = ~np.isnan(second)
            self._sums[known] += second[known]
            self._counts += known
        self._last = {track: seen for track, seen in self._last.items() if seen[-1][0] >= frame - 1}

    def figures(self) -> dict[str, np.ndarray]:
        """``jitter`` and ``raw_jitter``; see :func:`landmark_jitter`."""
        with np.errstate(invalid="ignore"):
            means = self._sums / self._counts
        return dict(zip(("jitter", "raw_jitter"), means, strict=True))


class _Listening:
    """A detector that notes what it sees."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.seen = deque[list[Detection]]()

    def __call__(self, images: np.ndarray) -> list[list[Detection]]:
        found = self._detector(images)
        self.seen.extend(found)
        return found


def _followed(decoder: Decoder, detector: Detector) -> Iterator[tuple[tuple[Face, ...], list[Detection]]]:
    """The faces of each frame, smoothed, and what was detected in it."""
    pictures, listening = DetectorInput(decoder.first.upright_size, Thumbnails), _Listening(detector)
    for _, faces in LiveSource(listening).stream(pictures.pairs(decoder), pictures.scale):
        yield faces, [detection.scaled(*pictures.scale) for detection in listening.seen.popleft()]
