"""Faces found in the same pass: detection and tracking run ahead of the rest by a fixed window."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Generic

import numpy as np

from ..detection.detector import Detector
from ..face import Detection, Face, TrackSettings
from ..json_state import State, pack_array, pack_detections, unpack_array, unpack_detections
from ..source import Frame
from .appearance import Look, look
from .gap_filling import Picture, Sighting
from .shots import ShotDetector
from .smoothing import REACH
from .track_history import FADE, Series
from .tracker import Track, Tracker, coordinates

WINDOW = 32  #: frames to each side of one that decide what is shown in it


class LiveSource:
    """Finds and follows the faces of one video as its frames come in.

    A frame leaves ``window`` frames after it came: so far do its faces look ahead, and at most as far
    back. The detector is given ``batch`` frames in one pass, which changes nothing but speed. A face
    that goes undetected for up to ``window - 5`` frames is shown wherever the pictures show that it was
    there; where it was not it fades out, and in again. Away for longer, it is another track.
    """

    def __init__(self, detector: Detector, *, batch: int = 1, window: int = WINDOW) -> None:
        if batch < 1 or window <= FADE:
            raise ValueError(f"batch must be at least 1 and window above {FADE}, not {batch} and {window}")
        self._detector = detector
        self._batch = batch
        self._window = window
        self._resumed: State | None = None
        self.tracks = 0
        self.faces = 0

    def stream(
        self, items: Iterable[tuple[Frame, np.ndarray]], scale: tuple[float, float] = (1.0, 1.0)
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """See ``FaceSource.stream``."""
        self.tracks = self.faces = 0
        self._frames = window = _Window[Frame](self._window, scale)
        self._tracker = tracker = Tracker(max_gap=self._window - FADE)
        #: What was detected in frames that tracking has not come to yet.
        self._found = deque[list[Detection]]()
        starts_shot = ShotDetector()
        source = iter(items)
        if self._resumed:
            self._refill(self._resumed, source, starts_shot)
        while chunk := list(islice(source, len(self._found) or self._batch)):
            self._found = self._found or deque(self._detector(np.stack([image for _, image in chunk])))
            for frame, image in chunk:
                detections = self._found.popleft()
                new_shot = starts_shot(image)
                looks = [look(image, detection.landmarks) for detection in detections]
                tracks = tracker.update(detections, looks, new_shot=new_shot)
                seen = list(zip(tracks, detections, looks, strict=True))
                window.push(frame, image, seen, new_shot=new_shot)
                if window.full:
                    yield self._counted(window.pop())
        window.close()
        while window.frames:
            yield self._counted(window.pop())

    def settings(self, track: int) -> TrackSettings:
        """See ``FaceSource.settings``: nothing is set for what is only found now."""
        return TrackSettings()

    def state(self) -> State:
        """See ``FaceSource.state``. Frames that have come and not left yet are not detected in again."""
        followed = self._tracker.tracks
        tracks = list(dict.fromkeys([*followed, *self._frames.series]))
        places = {track: place for place, track in enumerate(tracks)}
        return {
            "shown": [self.tracks, self.faces],
            "tracker": self._tracker.state(),
            "tracks": [track.state() for track in tracks],
            "followed": len(followed),
            "series": [[places[track], series.state()] for track, series in self._frames.series.items()],
            "leaving": self._frames.leaving,
            "waiting": [[w.starts_shot, pack_array(w.picture.boxes)] for w in self._frames.frames],
            "found": [pack_detections(detections) for detections in self._found],
        }

    def resume(self, state: State) -> None:
        """See ``FaceSource.resume``."""
        self._resumed = state

    def _refill(
        self, state: State, source: Iterator[tuple[Frame, np.ndarray]], starts_shot: ShotDetector
    ) -> None:
        self.tracks, self.faces = state["shown"]
        tracks = [Track.resumed(track) for track in state["tracks"]]
        self._tracker.resume(state["tracker"], tracks[: state["followed"]])
        self._found = deque(unpack_detections(detections) for detections in state["found"])
        window = self._frames
        window.leaving = state["leaving"]
        window.series = {tracks[place]: Series.resumed(series) for place, series in state["series"]}
        for (new_shot, boxes), (frame, image) in zip(state["waiting"], source, strict=False):
            starts_shot(image)  # it compares the next one with this
            window.frames.append(_Waiting(frame, new_shot, Picture(image, unpack_array(boxes))))

    def _counted(self, leaving: tuple[Frame, tuple[Face, ...]]) -> tuple[Frame, tuple[Face, ...]]:
        faces = leaving[1]
        self.faces += len(faces)
        self.tracks = max([self.tracks, *(face.track for face in faces)])
        return leaving


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Frame]):
    """A frame that has come and not left yet."""

    frame: Frame
    starts_shot: bool
    picture: Picture


class _Window(Generic[Frame]):
    """The frames that have come and not left yet, and what was seen of each track around them."""

    def __init__(self, size: int, scale: tuple[float, float]) -> None:
        self._size = size
        self._scale = np.array(scale, np.float32)
        self._closed = False
        self.leaving = 0  #: number of the frame that leaves next
        self.series: dict[Track, Series] = {}
        self.frames = deque[_Waiting[Frame]]()

    @property
    def full(self) -> bool:
        return len(self.frames) > self._size

    def push(
        self,
        frame: Frame,
        image: np.ndarray,
        seen: Sequence[tuple[Track, Detection, Look]],
        *,
        new_shot: bool,
    ) -> None:
        """The next frame, with what was seen in it of which track."""
        number = self.leaving + len(self.frames)
        before = [waiting.picture for waiting in self.frames]
        boxes = np.array([detection.box for _, detection, _ in seen]).reshape(-1, 4)
        self.frames.append(_Waiting(frame, new_shot, Picture(image, boxes)))
        for track, detection, appearance in seen:
            series = self.series.setdefault(track, Series(number, opens_shot=new_shot))
            series.add(Sighting(number, coordinates(detection), appearance), before)
            if track.id and not series.track:
                series.confirm(track.id, shown_from=number - self._size)

    def close(self) -> None:
        """No more frames will come."""
        self._closed = True

    def pop(self) -> tuple[Frame, tuple[Face, ...]]:
        """The oldest frame, with its faces in the order of their tracks."""
        shown = (
            series.face(self.leaving, ends_shot=self._starts_shot(series.last + 1))
            for series in self.series.values()
        )
        faces = sorted((face for face in shown if face), key=lambda face: face.track)

        self.leaving += 1
        leaving = self.frames.popleft()
        # A track that was last seen before the window has ended: it outlives shorter gaps only.
        self.series = {track: series for track, series in self.series.items() if series.last >= self.leaving}
        for series in self.series.values():
            series.forget(before=self.leaving - REACH)
        return leaving.frame, tuple(self._in_frame(face) for face in faces)

    def _in_frame(self, face: Face) -> Face:
        """A face of the picture, in the frame's pixels."""
        return replace(face, box=face.box * np.tile(self._scale, 2), landmarks=face.landmarks * self._scale)

    def _starts_shot(self, number: int) -> bool:
        """Whether a new shot starts with that frame; the end of the video counts as one."""
        position = number - self.leaving
        return self.frames[position].starts_shot if position < len(self.frames) else self._closed
