"""Landmark jitter: how much the landmarks of a face shake from frame to frame."""

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

#: Landmarks that are further apart than this on average, in pixels of a 512-pixel face, belong to another
#: face: half of the distance between the eyes.
_SAME_FACE = 63.0


def landmark_jitter(
    reference: Path, clips: Sequence[Path], detector: Detector, *, span: Span | None = None
) -> dict[str, np.ndarray]:
    """Measure how much the landmarks shake in each of M ``clips``, relative to their motion in ``reference``.

    The measure is the mean norm, over three consecutive frames, of the second difference of a landmark's
    offset from its place in the smoothed track of the reference. ``span`` is the part of all clips to read.

    Returns:
        ``jitter``, of the smoothed landmarks that faces are aligned by, and ``raw_jitter``, of the detections
        of single frames: (M,) each, in pixels of a 512-pixel face. NaN if no face of the reference was found
        in three consecutive frames of a clip.
    """
    meter = JitterMeter(len(clips))
    with ExitStack() as stack:
        streams = [_tracked(stack.enter_context(Decoder(p, span)), detector) for p in (reference, *clips)]
        for number, ((faces, _), *others) in enumerate(zip(*streams, strict=True)):
            for face in faces:
                smoothed = [[other.landmarks for other in tracked] for tracked, _ in others]
                raw = [[detection.landmarks for detection in detections] for _, detections in others]
                meter.add(number, face, smoothed, raw)
    return meter.figures()


class JitterMeter:
    """Accumulates second differences of landmarks. Keeps the last three frames of each track."""

    def __init__(self, clips: int) -> None:
        """``clips``: number of clips that are compared."""
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
        """Add a face of the reference, and the landmarks (5, 2) of all faces of each clip in ``frame``."""
        scale = float(np.sqrt(np.linalg.det(alignment_matrix(face.landmarks)[:2, :2])))
        offsets = np.full((2, self._clips, 5, 2), np.nan)
        for i, kind in enumerate((smoothed, raw)):
            for j, candidates in enumerate(kind):
                near = [(points - face.landmarks) * scale for points in candidates]
                distances = [np.linalg.norm(offset, axis=1).mean() for offset in near]
                if distances and min(distances) < _SAME_FACE:
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
        """Return ``jitter`` and ``raw_jitter`` as :func:`landmark_jitter` does."""
        with np.errstate(invalid="ignore"):
            means = self._sums / self._counts
        return dict(zip(("jitter", "raw_jitter"), means, strict=True))


class _RecordingDetector:
    """A detector that records its detections."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.recorded = deque[list[Detection]]()

    def __call__(self, images: np.ndarray) -> list[list[Detection]]:
        detections = self._detector(images)
        self.recorded.extend(detections)
        return detections


def _tracked(decoder: Decoder, detector: Detector) -> Iterator[tuple[tuple[Face, ...], list[Detection]]]:
    """Yield the smoothed faces of each frame, and its raw detections."""
    detector_input = DetectorInput(decoder.first.upright_size, Thumbnails, decoder.first.upright_aspect)
    recorder = _RecordingDetector(detector)
    source = LiveSource(recorder, looks=detector, rate=decoder.source.rate)
    for _, faces in source.stream(detector_input.pairs(decoder), detector_input.scale):
        yield faces, [detection.scaled(*detector_input.scale) for detection in recorder.recorded.popleft()]
