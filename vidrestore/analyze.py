"""Faces in two runs: the first finds them and writes them down, the second restores them as written."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch

from .faces.detection.load import choose_detector, load_detector
from .faces.detection.working_size import DetectorInput
from .faces.face import Detection, Face
from .faces.recorded.recorded_source import RecordedSource, check_origin, set_w
from .faces.recorded.recording import Origin, Recording, TrackSummary
from .faces.recorded.tracks_file import read_recording, write_recording
from .faces.source import FaceSource
from .faces.tracking.live_source import LiveSource
from .media.decode.decoder import Decoder
from .media.frames.frame import Frame
from .media.frames.thumbnails import Thumbnails
from .media.output.destination import check_path, make_durable, partial_path, writing
from .media.timeline import Span
from .options import Options
from .runtime.device import find_device
from .runtime.host import network_workers, prepare_host
from .runtime.scheduler import Stages

log = logging.getLogger(__name__)

#: Frames with their faces.
Tracked = Iterator[tuple[Frame, tuple[Face, ...]]]

_PICTURES = 8  #: frames that a device other than the CPU looks at in one pass
_LISTED = 20  #: tracks in the table at most


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a run found."""

    frames: int
    faces: int
    tracks: dict[int, TrackSummary]
    seconds: float

    @property
    def table(self) -> str:
        """The tracks with the most frames, one a line, so that a person can tell who is who."""
        listed = sorted(sorted(self.tracks, key=lambda track: -self.tracks[track].frames)[:_LISTED])
        lines = ["track        from          to  frames   size"]
        for track in listed:
            found = self.tracks[track]
            times = f"{_clock(found.first):>10}  {_clock(found.last):>10}"
            lines.append(f"{track:5}  {times}  {found.frames:6}  {found.size:4} px")
        if len(self.tracks) > len(listed):
            lines.append(f"and {len(self.tracks) - len(listed)} shorter ones")
        return "\n".join(lines)


def analyze_video(
    options: Options, progress: Callable[[int, int], None] = lambda frames, faces: None
) -> Analysis:
    """Find and follow the faces of ``options.input`` and write them to the tracks file ``options.output``.

    ``progress`` is called after each frame with how many frames and faces are done. Raises
    VidrestoreError, and leaves no tracks file behind then.
    """
    started = time.monotonic()
    prepare_host()
    check_path(options.output, options.input, overwrite=options.overwrite)
    with ExitStack() as stack:
        decoder = stack.enter_context(open_video(options))
        stage = stack.enter_context(Stages())
        recording = Recording(_origin(options, decoder))
        _, tracked = follow_faces(options, decoder, find_device(options.device), stage)
        for frame, faces in tracked:
            recording.add(_pts(frame), faces)
            progress(recording.frames, recording.faces)
    partial = partial_path(options.output)
    try:
        with writing(options.output):
            with partial.open("w", encoding="utf-8") as file:
                write_recording(recording, file)
            make_durable(partial, options.output)
    finally:
        partial.unlink(missing_ok=True)
    return Analysis(recording.frames, recording.faces, recording.summary(), time.monotonic() - started)


def open_video(options: Options, *, context: int = 0) -> Decoder:
    """The video of a run, opened. Raises InputError or UsageError."""
    return Decoder(
        options.input,
        Span(options.start, options.stop),
        context=context,
        video_stream=options.video_stream,
        deinterlace=options.deinterlace,
        strict=options.strict,
        rate=options.rate,
    )


def follow_faces(
    options: Options,
    decoder: Decoder,
    device: torch.device,
    stage: Stages,
    watch: Callable[[FaceSource, Tracked], Tracked] = lambda source, tracked: tracked,
) -> tuple[FaceSource, Tracked]:
    """Where the faces of a run come from, and its frames with them: from ``options.tracks``, or found now.

    Decoding and finding become stages of ``stage``. ``watch`` sees the frames as they leave their source.
    Raises as :func:`recorded_source` does.
    """
    if options.tracks:
        recorded = recorded_source(options, decoder)
        # What is beyond the part that was analysed is no context.
        frames = (f for f in stage(decoder, "decode") if not f.context or recorded.has_frame(f))
        return recorded, watch(recorded, recorded.stream((frame, None) for frame in frames))
    name = choose_detector(options.detector, offline=options.offline)
    batch = _PICTURES if options.batch == "auto" else options.batch
    if device.type == "cpu":
        batch = network_workers()  # more would only cost memory
    detector = load_detector(name, device)

    def find(pictures: np.ndarray) -> list[list[Detection]]:
        with stage.profile.section("detector", len(pictures)):
            return detector(pictures)

    live = LiveSource(find, batch=batch)
    pictures = DetectorInput(decoder.first.upright_size, Thumbnails)
    log.debug("%s at %dx%d on %s", name, *pictures.size, device)
    decoded = stage(pictures.pairs(decoder), "decode")
    return live, stage(watch(live, live.stream(decoded, pictures.scale)), "detect")


def recorded_source(options: Options, decoder: Decoder) -> RecordedSource[Frame]:
    """The faces that ``options.tracks`` has for the video in ``decoder``, with ``options.track_w`` set.

    Raises InputError for a file that cannot be used or is not of this video, UsageError for a
    ``--track-w`` of no track.
    """
    recording = read_recording(options.tracks)
    check_origin(recording, _origin(options, decoder))
    set_w(recording, dict(options.track_w))
    return RecordedSource(recording, pts=_pts)


def _origin(options: Options, decoder: Decoder) -> Origin:
    width, height = decoder.first.upright_size
    return Origin(
        name=options.input.name,
        width=width,
        height=height,
        time_base=decoder.first.video.time_base,
        begin=decoder.timeline.begin,
        start=float(options.start),
        end=None if options.stop is None else float(options.stop),
    )


def _pts(frame: Frame) -> int:
    """The decoder gives every frame a timestamp, and no two the same."""
    return frame.video.pts


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds * 100), 6000)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds / 100:05.2f}"
