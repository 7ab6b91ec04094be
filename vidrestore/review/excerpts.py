"""Parts of a video restored as a run over all of it restores them, with less work than that."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import takewhile

import av

from ..faces.alignment.align import Placement
from ..faces.face import Face
from ..faces.recorded.recorded_source import RecordedSource
from ..faces.recorded.recording import Recording
from ..faces.source import FaceSource
from ..faces.tracking.dissolves import OLDEST, frames_per_look
from ..faces.tracking.smoothing import REACH as SMOOTHED
from ..media.frames.frame import Frame
from ..media.frames.pixel_format import plane_views
from ..media.output.segment_writer import SEGMENT_LENGTH
from ..options import Options
from ..restoration.temporal.face_crop import ObservedFace, RestoredFace
from ..runtime.scheduler import Stages
from ..stages.enlarging import enlarged_faces, enlarged_frame
from ..stages.face_source import Tracked, origin_of, timestamp, track_faces
from ..stages.holes import with_holes
from ..stages.models import Models
from ..stages.needs import Needs
from ..stages.networks import Networks
from ..stages.reference_guard import ReferenceGuard
from ..stages.restoration import restore_faces
from ..stages.setup import Setup, open_video
from ..upscale.upscaler import Upscaler


def _lead(rate: Fraction) -> int:
    """Frames before a part in which faces are found and tracked, beyond those that it depends on: what the
    tracker remembers of earlier frames has faded by then."""
    return OLDEST * frames_per_look(rate) + SMOOTHED


def _close_lead(rate: Fraction) -> int:
    """The last ones of these. In the first it is enough to look now and then at who is there; only from here
    on do faces depend on what is found in each frame."""
    return SMOOTHED + frames_per_look(rate)


def found_beyond(rate: Fraction) -> int:
    """In how many frames of a video of ``rate`` frames per second faces are found, beyond those that a part
    depends on: before them, and some after."""
    return _close_lead(rate) + OLDEST - 1 + SMOOTHED


@dataclass(frozen=True, slots=True)
class RestoredMoment:
    """One frame as it is decoded and as it is restored."""

    frame: Frame
    faces: tuple[Face, ...]  #: of this frame, those that are left alone too
    enlarged: av.VideoFrame  #: the frame as a run enlarges it, without its faces; as it is if that does not
    restored: tuple[av.VideoFrame, ...]  #: for each of the weights asked for


def restore_part(
    options: Options,
    setup: Setup,
    models: Models,
    recording: Recording,
    *,
    start: Fraction,
    frames: int,
    weights: Sequence[float] = (),
    upscaler: Upscaler | None = None,
) -> Iterator[RestoredMoment]:
    """Restore the first ``frames`` frames from ``start`` seconds on, with the faces of ``recording``.

    With ``weights``, all faces are restored once with each of these fidelity weights, whatever else is set
    for them; by default once, with their own. ``upscaler`` enlarges frames. Raises VidrestoreError.
    """
    # Faces with other weights are not compared with photographs: they show what these weights make.
    guard = None if weights else ReferenceGuard.of(RecordedSource(recording, pts=timestamp), models)
    needs = Needs.of(range(frames), guarded=guard is not None, task=options.task)
    shown = _tracks_of(recording, start, frames)
    faces_at: dict[int, tuple[Face, ...]] = {}
    part = replace(options, start=start, duration=None, end=None)
    with (
        open_video(part, context=-min(needs.aligned)) as decoder,
        Stages(last="caller", profile=models.profile) as stage,
    ):
        source = RecordedSource(recording, pts=timestamp)
        decoded = with_holes(part, decoder, decoder)
        decoded = takewhile(lambda frame: frame.index <= max(needs.aligned), decoded)
        decoded = (frame for frame in stage(decoded, "decode") if source.has_frame(frame))

        def align() -> Iterator[tuple[Frame, list]]:
            for frame, faces in source.stream((frame, None) for frame in decoded):
                if frame.index in needs.wanted:
                    faces_at[frame.index] = recording.faces_at(timestamp(frame)) or ()
                needed = frame.index in needs.aligned
                yield frame, models.align(frame, [f for f in faces if needed and f.track in shown])

        restored = restore_faces(
            align(),
            models,
            options,
            stage,
            batch=setup.batch,
            segment_length=SEGMENT_LENGTH,
            guard=guard,
            needs=needs,
            variants=partial(_variants, weights=weights) if weights else None,
        )
        for frame, faces in restored:
            if frame.index in needs.wanted:
                kinds = len(weights) or 1
                groups = [[face for face in faces if face.track % kinds == kind] for kind in range(kinds)]
                base = frame if upscaler is None else enlarged_frame(frame, upscaler)
                done = tuple(_pasted(base, enlarged_faces(group, upscaler), models) for group in groups)
                yield RestoredMoment(frame, faces_at.pop(frame.index), base.video, done)
            if frame.index >= max(needs.wanted):
                return


def record_part(
    options: Options,
    setup: Setup,
    networks: Networks,
    *,
    start: Fraction,
    frames: int,
    rate: Fraction,
    first: Fraction,
) -> Recording:
    """Find the faces of the frames that :func:`restore_part` looks at, and of some before them, so that they
    are tracked as in a run over the whole video. That has ``rate`` frames per second, the first one ``first``
    seconds after its beginning. ``networks`` have the detector. Raises VidrestoreError."""
    reach = -min(Needs.of((0,), task=options.task).aligned)
    part = replace(
        options,
        task="restore",  # which faces there are does not depend on what is done to them
        mask=None,
        start=max(Fraction(0), start - (reach + _lead(rate)) / rate),
        duration=None,
        end=None,
    )
    before = after = 0  #: frames before the part of which none is left out, and from its beginning on
    with open_video(part) as decoder, Stages(depth=1) as stage:
        recording = Recording(origin_of(part, decoder), "the record of the faces")
        begin = decoder.timeline.begin
        number = round((decoder.first.time - begin - first) * rate)  #: of the first frame that is decoded

        def until_cut(source: FaceSource[Frame], tracked: Tracked) -> Tracked:
            """Up to the end of the last shot of the part: what is beyond does not change it."""
            shown = shots = 0
            for frame, faces in tracked:
                shown += frame.time - begin >= start
                if shown > frames and source.shots > shots:
                    return
                shots = source.shots
                yield frame, faces

        every = frames_per_look(decoder.source.rate)
        close = start - (reach + _close_lead(rate)) / rate
        _, tracked = track_faces(
            part,
            setup,
            decoder,
            stage,
            until_cut,
            frames=(f for f in decoder if (number + f.index) % every == 0 or f.time - begin >= close),
            networks=networks,
            eager=True,
            number=lambda frame: number + frame.index,
        )
        for frame, faces in tracked:
            recording.add(timestamp(frame), faces)
            before += close <= frame.time - begin < start
            after += frame.time - begin >= start
            if after == frames + reach:
                break
    if part.start and before < reach + SMOOTHED:
        # Frames are further apart here than in the rest of the video.
        return record_part(options, setup, networks, start=start, frames=frames, rate=rate / 2, first=first)
    return recording


def _tracks_of(recording: Recording, start: Fraction, frames: int) -> set[int]:
    """The tracks of the first ``frames`` frames from ``start`` seconds on, and of those next to them. A part
    depends on no other: a face depends on none of another track."""
    origin, times = recording.origin, recording.timestamps
    first = bisect_left(times, (start + origin.begin) / origin.time_base)
    near = times[max(0, first - 1) : first + frames + 1]
    return {face.track for pts in near for face in recording.faces_at(pts) or ()}


def _variants(face: ObservedFace[Placement], weights: Sequence[float]) -> list[ObservedFace[Placement]]:
    """``face`` with each of ``weights``, as a track of its own: the remainder of its id tells which."""
    count = len(weights)
    return [replace(face, w=w, track=face.track * count + index) for index, w in enumerate(weights)]


def _pasted(frame: Frame, faces: Sequence[RestoredFace[Placement]], models: Models) -> av.VideoFrame:
    """A copy of ``frame`` with ``faces`` pasted into it."""
    copy = frame.like(copy_of(frame.video))
    models.paste(copy, faces)
    return copy.video


def copy_of(video: av.VideoFrame) -> av.VideoFrame:
    """The samples and the time of a frame, without its side data."""
    copy = av.VideoFrame(video.width, video.height, video.format.name)
    for target, source in zip(plane_views(copy), plane_views(video), strict=True):
        target[...] = source
    if video.time_base is not None:  # that of a photo is not known
        copy.pts, copy.time_base = video.pts, video.time_base
    return copy
