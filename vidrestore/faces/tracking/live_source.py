"""Faces found in the same pass: detection and tracking run ahead of restoration by a fixed window."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import Generic

import numpy as np

from ..detection.detector import Detector
from ..face import Detection, Face
from ..json_state import State, pack_array, pack_detections, unpack_array, unpack_detections
from ..neighbours import with_neighbours
from ..source import Frame
from .appearance import Appearance
from .dissolves import Dissolves
from .gap_filling import SearchImage, Sighting
from .shots import ShotDetector
from .smoothing import REACH
from .track_history import FADE, TrackHistory
from .tracker import Track, Tracker, coordinates
from .upright_faces import UprightFaces

WINDOW = 32  #: frames to each side that affect which faces a frame has


class LiveSource(Generic[Frame]):
    """A ``FaceSource`` that detects and tracks the faces of one video as its frames arrive.

    A frame is yielded ``window`` frames after it arrived, so its faces depend on at most that many frames to
    each side. The detector gets ``batch`` frames at a time, which affects speed only, and then copies of
    places in single frames, turned so that rolled faces are upright (see :mod:`.upright_faces`). A face that
    goes undetected for up to ``window - 5`` frames is shown in those frames in which the images confirm that
    it is present; it fades out before an absence and in after it. After a longer absence it is a new track.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        batch: int = 1,
        window: int = WINDOW,
        looks: Detector | None = None,
        eager: bool = False,
        number: Callable[[Frame], int] | None = None,
        rate: Fraction = Fraction(25),
    ) -> None:
        """``looks``, ``detector`` by default, gets the turned copies. ``eager`` yields a frame as soon as no
        later one can change its faces, so that who wants some frames need not read a window more.
        ``number`` returns the number of a frame in the whole video; by default they are counted from 0. Some
        may be left out. ``rate`` is that of the video, in frames per second. Raises ValueError for a
        ``batch`` below 1 or a ``window`` that is too short to fade in."""
        if batch < 1 or window <= FADE:
            raise ValueError(f"batch must be at least 1 and window above {FADE}, not {batch} and {window}")
        self._detector = detector
        self._upright = UprightFaces(looks or detector)
        self._batch = batch
        self._size = window
        self._eager = eager
        self._number = number
        self._rate = rate
        self._resumed: State | None = None
        self.tracks = 0
        self.faces = 0
        self.shots = 0

    def stream(
        self, items: Iterable[tuple[Frame, np.ndarray]], scale: tuple[float, float] = (1.0, 1.0)
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """See ``FaceSource.stream``."""
        self.tracks = self.faces = self.shots = 0
        self._window = window = _Window[Frame](self._size, scale)
        self._tracker = tracker = Tracker(max_gap=self._size - FADE)
        #: Detections in frames that the tracker has not reached yet.
        self._detections = deque[list[Detection]]()
        starts_shot = ShotDetector()
        self._dissolves = Dissolves(self._rate)
        source = iter(items)
        if self._resumed:
            self._restore(self._resumed, window, source, starts_shot)
        while chunk := list(islice(source, len(self._detections) or self._batch)):
            if not self._detections:
                self._detections = deque(self._detector(np.stack([image for _, image in chunk])))
            for frame, image in chunk:
                new_shot = starts_shot(image)
                tracker.advance(self._number(frame) if self._number else None, new_shot=new_shot)
                detections = self._upright(
                    image, self._detections.popleft(), tracker.tracks, frame=tracker.frame, new_shot=new_shot
                )
                appearances = [Appearance.of(image, detection.landmarks) for detection in detections]
                tracks = tracker.update(detections, appearances)
                tracked = list(zip(tracks, detections, appearances, strict=True))
                window.push(frame, image, tracked, new_shot=new_shot)
                seen = zip(tracks, appearances, strict=True)
                for track in self._dissolves.ended(image, tracker.frame, seen):
                    tracker.end(track)
                    window.hand_over(track)
                while window.full or (self._eager and window.settled(tracker.tracks)):
                    yield self._counted(window.pop())
        window.close()
        while window.frames:
            yield self._counted(window.pop())

    def state(self) -> State:
        """See ``FaceSource.state``. Detections of frames in the window are kept, and not repeated."""
        followed = self._tracker.tracks
        tracks = list(dict.fromkeys([*followed, *self._window.histories]))
        index = {track: number for number, track in enumerate(tracks)}
        return {
            "shown": [self.tracks, self.faces, self.shots],
            "tracker": self._tracker.state(),
            "dissolves": self._dissolves.state(),
            "tracks": [track.state() for track in tracks],
            "followed": len(followed),
            "series": [[index[track], history.state()] for track, history in self._window.histories.items()],
            "leaving": self._window.first,
            "waiting": [
                [pending.starts_shot, pack_array(pending.boxes), [index[track] for track in pending.tracks]]
                for pending in self._window.frames
            ],
            "found": [pack_detections(detections) for detections in self._detections],
        }

    def resume(self, state: State) -> None:
        """See ``FaceSource.resume``."""
        self._resumed = state

    def _restore(
        self,
        state: State,
        window: _Window[Frame],
        source: Iterator[tuple[Frame, np.ndarray]],
        starts_shot: ShotDetector,
    ) -> None:
        """Restore ``state``, and refill ``window`` with the frames from ``source`` that were in it."""
        self.tracks, self.faces, self.shots = state["shown"]
        tracks = [Track.from_state(track) for track in state["tracks"]]
        self._tracker.resume(state["tracker"], tracks[: state["followed"]])
        self._dissolves.resume(state["dissolves"])
        self._detections = deque(unpack_detections(detections) for detections in state["found"])
        window.first = state["leaving"]
        window.histories = {
            tracks[index]: TrackHistory.from_state(history) for index, history in state["series"]
        }
        for (new_shot, boxes, owners), (frame, image) in zip(state["waiting"], source, strict=False):
            starts_shot(image)  # it compares each frame with the previous one
            seen = [tracks[number] for number in owners]
            window.frames.append(_Pending(frame, new_shot, image, unpack_array(boxes), seen))

    def _counted(self, leaving: tuple[Frame, tuple[Face, ...]]) -> tuple[Frame, tuple[Face, ...]]:
        """Count the faces of a frame that has left the window, and its shot."""
        faces = leaving[1]
        self.shots += self._window.started_shot
        self.faces += len(faces)
        self.tracks = max([self.tracks, *(face.track for face in faces)])
        return leaving


@dataclass(frozen=True, slots=True)
class _Pending(Generic[Frame]):
    """A frame in the window."""

    frame: Frame
    starts_shot: bool
    image: np.ndarray  #: that faces were detected in
    boxes: np.ndarray  #: (n, 4), of the detections in it
    tracks: Sequence[Track]  #: of each box

    def picture(self) -> SearchImage:
        """Its image, with the boxes of those tracks that are known to be faces: an occasional false
        detection hides nothing."""
        known = np.array([track.id > 0 for track in self.tracks], bool)
        return SearchImage(self.image, self.boxes[known])


class _Window(Generic[Frame]):
    """The frames that have arrived and not left yet, and the histories of the tracks around them."""

    def __init__(self, size: int, scale: tuple[float, float]) -> None:
        self._size = size
        self._scale = np.array(scale, np.float32)
        self._closed = False
        self.first = 0  #: number of the frame that leaves next
        self.started_shot = False  #: whether the frame that left last starts a shot
        self.histories: dict[Track, TrackHistory] = {}
        self.frames = deque[_Pending[Frame]]()

    @property
    def full(self) -> bool:
        return len(self.frames) > self._size

    def push(
        self,
        frame: Frame,
        image: np.ndarray,
        tracked: Sequence[tuple[Track, Detection, Appearance]],
        *,
        new_shot: bool,
    ) -> None:
        """Append the next frame, with its detections and the track of each."""
        number = self.first + len(self.frames)
        earlier = [pending.picture() for pending in self.frames]
        boxes = np.array([detection.box for _, detection, _ in tracked]).reshape(-1, 4)
        self.frames.append(_Pending(frame, new_shot, image, boxes, [track for track, _, _ in tracked]))
        seen = {track for track, _, _ in tracked}
        for track, detection, appearance in tracked:
            if track not in self.histories:
                succeeds = self._succeeds(number, detection, appearance, seen)
                self.histories[track] = TrackHistory(number, opens_shot=new_shot or succeeds)
            history = self.histories[track]
            history.add(Sighting(number, coordinates(detection), appearance, detection.score), earlier)
            if track.id and not history.track:
                history.confirm(track.id, shown_from=number - self._size)

    def _succeeds(
        self, number: int, detection: Detection, appearance: Appearance, seen: Collection[Track]
    ) -> bool:
        """Whether a face that is new in frame ``number`` goes on where another track ends, so that neither
        fades. ``seen`` are the tracks in this frame."""
        if any(history.is_succeeded_by(number, detection.box) for history in self.histories.values()):
            return True
        lost = [history for track, history in self.histories.items() if track not in seen]
        jumping = [history for history in lost if history.jumps_to(number, detection.box, appearance)]
        if len(jumping) != 1 or jumping[0].handed_over:
            return False
        jumping[0].handed_over = True
        return True

    def hand_over(self, track: Track) -> None:
        """A dissolve has ended ``track``: a face in its place from the next frame on is another one, and
        neither of them fades."""
        if track in self.histories:
            self.histories[track].handed_over = True

    def settled(self, followed: Collection[Track]) -> bool:
        """Whether no later frame can change the faces of the oldest one. ``followed`` are the tracks that may
        still be seen."""
        latest = self.first + len(self.frames) - 1
        return self.first < latest and all(
            history.settled(self.first, latest, ended=track not in followed)
            for track, history in self.histories.items()
        )

    def close(self) -> None:
        """Declare that no more frames will arrive."""
        self._closed = True

    def pop(self) -> tuple[Frame, tuple[Face, ...]]:
        """Remove and return the oldest frame, with its faces ordered by track."""
        shown = (
            history.face(self.first, ends_shot=self._ends(history)) for history in self.histories.values()
        )
        faces = sorted((face for face in shown if face), key=lambda face: face.track)

        self.first += 1
        leaving = self.frames.popleft()
        self.started_shot = leaving.starts_shot
        # A track whose last sighting has left the window has ended: it outlives only shorter gaps.
        self.histories = {
            track: history for track, history in self.histories.items() if history.last >= self.first
        }
        for history in self.histories.values():
            history.forget(before=self.first - REACH)
        return leaving.frame, tuple(with_neighbours([self._in_frame(face) for face in faces]))

    def _in_frame(self, face: Face) -> Face:
        """Scale a face from pixels of the image to pixels of the frame."""
        return replace(face, box=face.box * np.tile(self._scale, 2), landmarks=face.landmarks * self._scale)

    def _ends(self, history: TrackHistory) -> bool:
        """Whether the last sighting of ``history`` is in the last frame before a cut, or before another face
        takes its place."""
        after = history.last + 1
        return self._starts_shot(after) or (
            history.handed_over and any(other.opens_at(after) for other in self.histories.values())
        )

    def _starts_shot(self, number: int) -> bool:
        """Whether frame ``number`` starts a new shot. The end of the video counts as the start of one."""
        index = number - self.first
        return self.frames[index].starts_shot if index < len(self.frames) else self._closed
