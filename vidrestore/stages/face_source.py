"""Frames with their faces: from a tracks file, or detected and tracked in the same pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..faces.detection.working_size import DetectorInput
from ..faces.face import Detection, Face
from ..faces.recorded.given_source import GivenSource
from ..faces.recorded.recorded_source import RecordedSource, check_origin, set_w
from ..faces.recorded.recording import Origin, Recording
from ..faces.recorded.tracks_file import read_recording
from ..faces.source import FaceSource
from ..faces.tracking.live_source import LiveSource
from ..media.decode.decoder import Decoder
from ..media.frames.frame import Frame
from ..media.frames.thumbnails import Thumbnails
from ..options import Options
from ..runtime.scheduler import Stages
from .holes import with_holes
from .networks import Networks
from .setup import AnalysisSetup, open_video

#: Frames with their faces.
Tracked = Iterator[tuple[Frame, tuple[Face, ...]]]


def track_faces(
    options: Options,
    setup: AnalysisSetup,
    decoder: Decoder,
    stage: Stages,
    watch: Callable[[FaceSource[Frame], Tracked], Tracked] = lambda source, tracked: tracked,
    *,
    recorded: RecordedSource[Frame] | GivenSource[Frame] | None = None,
    frames: Iterable[Frame] | None = None,
    networks: Networks | None = None,
    eager: bool = False,
    number: Callable[[Frame], int] | None = None,
) -> tuple[FaceSource[Frame], Tracked]:
    """The source of a run's faces and the frames of ``decoder`` with them.

    Decoding and detection become stages of ``stage``. ``watch`` wraps the frames as they leave the source.
    ``recorded`` is the source if it has been read before, and ``frames`` are those of ``decoder`` that are
    wanted. They have their holes if the run fills some. ``networks`` may have the detector. ``eager`` and
    ``number`` are those of a ``LiveSource``. Raises as :func:`recorded_source` and :func:`.holes.with_holes`
    do.
    """
    wanted = with_holes(options, decoder, decoder if frames is None else frames)
    if options.tracks:
        recorded = recorded or recorded_source(options, decoder)
    if recorded:
        # Skip context frames outside the analysed span.
        decoded = stage(wanted, "decode")
        frames = (f for f in decoded if not f.context or recorded.has_frame(f))
        return recorded, watch(recorded, recorded.stream((frame, None) for frame in frames))
    assert setup.detector is not None  # as there is no tracks file
    detector = (networks or Networks()).detector(setup.detector, setup.device)

    def detect(pictures: np.ndarray) -> list[list[Detection]]:
        with stage.profile.section("detector", len(pictures)):
            return detector(pictures)

    source = decoder.source
    live = LiveSource(detect, batch=setup.detector_batch, eager=eager, number=number, rate=source.rate)
    pictures = DetectorInput(source.upright_size, Thumbnails, source.upright_aspect)
    decoded = stage(pictures.pairs(wanted), "decode")
    return live, stage(watch(live, live.stream(decoded, pictures.scale)), "detect")


def recorded_source(options: Options, decoder: Decoder) -> RecordedSource[Frame]:
    """The faces that the file ``options.tracks`` has for the video in ``decoder``. Raises as
    :func:`read_tracks` does."""
    return RecordedSource(read_tracks(options, decoder), pts=timestamp)


def read_tracks(options: Options, decoder: Decoder) -> Recording:
    """The recording in the file ``options.tracks``, with ``--track-w`` and ``--person-w`` set.

    Raises InputError for a file that cannot be used or belongs to another video than that in ``decoder``,
    UsageError for a track or a person that it does not have.
    """
    assert options.tracks is not None
    recording = read_recording(options.tracks)
    check_origin(recording, origin_of(options, decoder))
    set_w(recording, dict(options.track_w), dict(options.person_w))
    return recording


def record_faces(
    options: Options, setup: AnalysisSetup, check: Callable[[], None] = lambda: None
) -> Recording:
    """Find and track the faces of ``options.input``. ``check`` is called after each frame, and may raise an
    exception to end that."""
    with open_video(options) as decoder, Stages() as stage:
        recording = Recording(origin_of(options, decoder), "the record of the faces")
        _, tracked = track_faces(options, setup, decoder, stage, record_shots(recording))
        for frame, faces in tracked:
            recording.add(timestamp(frame), faces)
            check()
    return recording


def record_shots(recording: Recording) -> Callable[[FaceSource[Frame], Tracked], Tracked]:
    """Wraps the frames that leave a source: notes in ``recording`` where each shot begins."""

    def watch(source: FaceSource[Frame], tracked: Tracked) -> Tracked:
        for frame, faces in tracked:
            if source.shots > len(recording.shots):
                recording.shots.append(timestamp(frame))
            yield frame, faces

    return watch


def origin_of(options: Options, decoder: Decoder) -> Origin:
    """Which video, and which part of it, a tracks file is made from."""
    width, height = decoder.source.upright_size
    return Origin(
        name=options.input.name,
        width=width,
        height=height,
        time_base=decoder.source.time_base,
        begin=decoder.timeline.begin,
        start=float(options.start),
        end=None if options.stop is None else float(options.stop),
        stream=decoder.source.stream_index,
    )


def timestamp(frame: Frame) -> int:
    """Presentation timestamp in ticks: the decoder gives each frame one, and no two the same."""
    pts = frame.video.pts
    assert pts is not None
    return pts
