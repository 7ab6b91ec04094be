"""What is known of each frame before it is restored, told frame by frame while a video is analysed."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..faces.recorded.given_source import Given
from ..faces.source import FaceSource
from ..media.decode.decoder import Decoder
from ..media.decode.fingerprint import FrameFingerprint
from ..media.frames.frame import Frame
from ..options import Options
from ..runtime.scheduler import Stages
from ..stages.face_source import Tracked, track_faces
from ..stages.networks import Networks
from ..stages.restoration import CONTEXT
from ..stages.resume import Resume
from ..stages.reuse import Reuse
from ..stages.setup import AnalysisSetup, open_video

#: Frames that are told at once.
CHUNK = 25


@dataclass(frozen=True, slots=True)
class Sighting:
    """One frame whose faces are final."""

    number: int
    context: bool  #: the frame is outside the part of the video that is restored
    given: Given | None  #: its faces; None if workers have the recording of them
    tracks: int  #: that had a face in any frame by then
    #: The first frame of the segment whose context begins after this frame, if one does, and what is needed
    #: to begin there: the frame's fingerprint, and the state of a resumed run, if there is any.
    boundary: int | None = None
    mark: FrameFingerprint | None = None
    state: Mapping[str, Any] | None = None


class _States:
    """Takes states in place of a work folder."""

    def __init__(self) -> None:
        self._states: dict[int, Mapping[str, Any]] = {}

    def save_state(self, frame: int, state: Mapping[str, Any]) -> None:
        self._states[frame] = state

    def take(self, frame: int) -> Mapping[str, Any] | None:
        return self._states.pop(frame, None)


def live_sightings(
    options: Options,
    setup: AnalysisSetup,
    *,
    length: int,
    state: Mapping[str, Any] | None,
    networks: Networks,
) -> Generator[list[Sighting], None, None]:
    """Find and track the faces of a video, from ``state`` on if an earlier run has saved one. Yields
    :data:`CHUNK` frames at a time; ``length`` is that of segments. Raises VidrestoreError."""
    states = _States()
    with open_video(options) as decoder:
        if state:
            decoder.resume_after(FrameFingerprint(**state["mark"]))
        earlier = Resume(states, length, state)
        yield from _sightings(options, setup, decoder, earlier, states, length=length, networks=networks)


def recorded_sightings(
    options: Options,
    setup: AnalysisSetup,
    decoder: Decoder,
    earlier: Resume | Reuse,
    *,
    length: int,
    shared: bool = False,
) -> Generator[list[Sighting], None, None]:
    """The frames of a video whose faces are recorded: decoded once, so that workers can seek to them. If
    workers ``shared`` the recording, faces are left out."""
    states = _States()
    if isinstance(earlier, Resume):
        earlier = Resume(states, length, earlier.state)
    yield from _sightings(
        options, setup, decoder, earlier, states, length=length, networks=None, shared=shared
    )


def _sightings(
    options: Options,
    setup: AnalysisSetup,
    decoder: Decoder,
    earlier: Resume | Reuse,
    states: _States,
    *,
    length: int,
    networks: Networks | None,
    shared: bool = False,
) -> Generator[list[Sighting], None, None]:
    found = deque[tuple[Given | None, int]]()

    def watch(source: FaceSource[Frame], tracked: Tracked) -> Tracked:
        for frame, faces in earlier.watch(source, tracked):
            found.append((None if shared else Given(faces, source.shots), source.tracks))
            yield frame, faces

    def sighting(frame: Frame) -> Sighting:
        given, tracks = found.popleft()
        boundary, state, mark = frame.index + 1 + CONTEXT, None, None
        if frame.index < 0 or boundary % length:
            return Sighting(frame.index, frame.context, given, tracks)
        if isinstance(earlier, Reuse):
            mark = earlier.marks.get(frame.index + 1)
        elif state := states.take(boundary):
            mark = FrameFingerprint(**state["mark"])
        return Sighting(frame.index, frame.context, given, tracks, boundary, mark, state)

    with Stages() as stage:
        _, tracked = track_faces(
            options,
            setup,
            decoder,
            stage,
            watch,
            recorded=earlier.source,
            frames=earlier.decoded(decoder),
            networks=networks,
        )
        told = (sighting(frame) for frame, _ in tracked)
        while chunk := list(islice(told, CHUNK)):
            yield chunk
