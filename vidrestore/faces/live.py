"""Faces found in the same pass: detection and tracking run ahead of the rest by a fixed window."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Generic

import numpy as np

from .detect import Detector
from .face import Detection, Face
from .series import FADE, Series
from .shots import ShotDetector
from .smooth import REACH
from .source import Frame
from .track import Track, Tracker, coordinates

WINDOW = 15  #: frames to each side of one that decide what is shown in it
COVERED = 0.3  #: share of an unseen face's box within another face's that says it is hidden by it


class LiveSource:
    """Finds and follows the faces of one video as its frames come in.

    A frame leaves ``window`` frames after it came: so far do its faces look ahead, and at most as far
    back. The detector is given ``batch`` frames in one pass, which changes nothing but speed. A face
    that goes unseen for up to ``window - 5`` frames is shown in them all; one that does so for longer
    fades out, and in again as another track.
    """

    def __init__(self, detector: Detector, *, batch: int = 1, window: int = WINDOW) -> None:
        if batch < 1 or window <= FADE:
            raise ValueError(f"batch must be at least 1 and window above {FADE}, not {batch} and {window}")
        self._detector = detector
        self._batch = batch
        self._window = window
        self.tracks = 0
        self.faces = 0

    def stream(
        self, items: Iterable[tuple[Frame, np.ndarray]], scale: tuple[float, float] = (1.0, 1.0)
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """See ``FaceSource.stream``."""
        self.tracks = self.faces = 0
        window = _Window[Frame](self._window)
        starts_shot = ShotDetector()
        tracker = Tracker(max_gap=self._window - FADE)
        source = iter(items)
        while chunk := list(islice(source, self._batch)):
            found = self._detector(np.stack([image for _, image in chunk]))
            for (frame, image), detections in zip(chunk, found, strict=True):
                new_shot = starts_shot(image)
                detections = [detection.scaled(*scale) for detection in detections]
                window.push(frame, detections, tracker.update(detections, new_shot=new_shot), new_shot)
                if window.full:
                    yield self._counted(window.pop())
        window.close()
        while window.frames:
            yield self._counted(window.pop())

    def _counted(self, leaving: tuple[Frame, tuple[Face, ...]]) -> tuple[Frame, tuple[Face, ...]]:
        faces = leaving[1]
        self.faces += len(faces)
        self.tracks = max([self.tracks, *(face.track for face in faces)])
        return leaving


class _Window(Generic[Frame]):
    """The frames that have come and not left yet, and what was seen of each track around them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._leaving = 0  #: number of the frame that leaves next
        self._closed = False
        self._series: dict[Track, Series] = {}
        self.frames = deque[tuple[Frame, bool]]()  #: and whether each starts a shot

    @property
    def full(self) -> bool:
        return len(self.frames) > self._size

    def push(self, frame: Frame, detections: list[Detection], tracks: list[Track], new_shot: bool) -> None:
        """The next frame, with what was seen in it and of which track."""
        number = self._leaving + len(self.frames)
        self.frames.append((frame, new_shot))
        for track, detection in zip(tracks, detections, strict=True):
            series = self._series.setdefault(track, Series(number, opens_shot=new_shot))
            series.add(number, coordinates(detection))
            if track.id and not series.track:
                series.confirm(track.id, shown_from=number - self._size)

    def close(self) -> None:
        """No more frames will come."""
        self._closed = True

    def pop(self) -> tuple[Frame, tuple[Face, ...]]:
        """The oldest frame, with its faces in the order of their tracks."""
        number = self._leaving
        seen, filled = [], []
        for series in self._series.values():
            if series.last >= number:
                face = series.face(number, ends_shot=self._starts_shot(series.last + 1))
                if face:
                    (seen if series.seen_in(number) else filled).append(face)
        # A face that goes unseen where another one is seen is behind it.
        faces = seen + [face for face in filled if not any(_covers(other, face) for other in seen)]
        faces.sort(key=lambda face: face.track)

        self._leaving += 1
        frame, _ = self.frames.popleft()
        # A track that was last seen before the window has ended: it outlives shorter gaps only.
        self._series = {
            track: series for track, series in self._series.items() if series.last >= self._leaving
        }
        for series in self._series.values():
            series.forget(before=self._leaving - REACH)
        return frame, tuple(faces)

    def _starts_shot(self, number: int) -> bool:
        """Whether a new shot starts with that frame; the end of the video counts as one."""
        position = number - self._leaving
        return self.frames[position][1] if position < len(self.frames) else self._closed


def _covers(front: Face, behind: Face) -> bool:
    corner = np.minimum(front.box[2:], behind.box[2:]) - np.maximum(front.box[:2], behind.box[:2])
    return bool(np.clip(corner, 0, None).prod() > COVERED * (behind.box[2:] - behind.box[:2]).prod())
