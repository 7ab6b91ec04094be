"""A streaming decoder feeds frames through batched face detection with Kalman-smoothed tracking, batched
CodeFormer restoration with per-track fidelity, temporally blended paste-back, and re-encoding with the
original audio."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from .analyze import follow_faces, open_video
from .faces.alignment.align import AlignedFace
from .faces.alignment.paste import paste_back
from .media.encode.choose import EncoderSettings
from .media.frames.frame import Frame
from .media.output.destination import STDOUT, check_output, container_of, display_name
from .media.output.writer import SEGMENT_LENGTH, SegmentWriter, StreamWriter
from .media.remux.stream_plan import refuse_losses
from .media.source_video import SourceVideo
from .options import Options
from .restore.temporal.face_crop import RestoredFace
from .runtime.device import find_device
from .runtime.host import prepare_host
from .runtime.memory import translate_out_of_memory
from .runtime.profile import Profile
from .runtime.scheduler import QUEUE_DEPTH, Stages
from .stages.models import Models
from .stages.restoration import CONTEXT, restore_faces
from .stages.resume import Resume

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    frames: int
    faces: int
    tracks: int
    resumed: int  #: of the frames, how many an earlier run had done
    seconds: float
    model: str
    profile: Profile


def restore_video(
    options: Options,
    progress: Callable[[int, int], None] = lambda frames, faces: None,
    *,
    segment_length: int = SEGMENT_LENGTH,
) -> Report:
    """Restore the faces of ``options.input`` into ``options.output``.

    ``progress`` is called after each frame with the numbers of finished frames and faces. Every
    ``segment_length`` frames a segment is kept, however the run ends, and the next run with the same options
    resumes after it.
    Raises VidrestoreError, and leaves no OUT behind then.
    """
    started = time.monotonic()
    prepare_host()
    check_output(options.output, options.input, overwrite=options.overwrite, container=options.container)
    profile = Profile(find_device(options.device))
    with translate_out_of_memory(profile.device), ExitStack() as stack:
        # With recorded faces a part of a video comes out as it does of the whole.
        context = CONTEXT if options.tracks else 0
        decoder = stack.enter_context(open_video(options, context=context))
        if options.strict:
            container = container_of(options.output, options.container)
            name = display_name(options.output)
            refuse_losses(options.input, container, decoder.source.stream_index, name)
        # Before what writes, so that finishing OUT is part of the last stage's time.
        stage = stack.enter_context(Stages(depth=QUEUE_DEPTH, last="encode", profile=profile))
        writer = stack.enter_context(open_output(options, decoder.source, segment_length))
        models = Models(options, profile)
        log.debug("%s", models)
        log.debug("encoder: %s", writer.encoder)
        resume = Resume.begin(writer, decoder, options, models)
        done, faces, tracks = writer.frames, resume.faces, resume.tracks
        if not resume.done:
            source, tracked = follow_faces(options, decoder, models.device, stage, resume.watch)
            aligned = ((frame, models.align(frame, faces)) for frame, faces in tracked)
            restored = restore_faces(
                aligned, models, options, source.settings, stage, segment_length=segment_length
            )
            for frame, count in stage(paste(restored, profile, since=done), "paste"):
                writer.write(frame, {"faces": count})
                faces += count
                progress(writer.frames, faces)
            tracks = source.tracks
    return Report(
        *(writer.frames, faces, tracks, done, time.monotonic() - started, models.restorer.spec.name),
        profile=profile,
    )


def open_output(options: Options, source: SourceVideo, segment_length: int) -> StreamWriter | SegmentWriter:
    """The writer of OUT. Output to stdout cannot be resumed."""
    settings, out = encoder_settings(options), options.output
    if out == STDOUT:
        return StreamWriter(out, source, settings, container=options.container, strict=options.strict)
    return SegmentWriter(
        out,
        source,
        settings,
        container=options.container,
        strict=options.strict,
        length=segment_length,
    )


def paste(
    restored: Iterable[tuple[Frame, list[RestoredFace[AlignedFace]]]], profile: Profile, *, since: int = 0
) -> Iterator[tuple[Frame, int]]:
    """The frames that are wanted, those from ``since`` on, with their faces in them, and how many these
    are."""
    for frame, faces in restored:
        if frame.context or frame.index < since:
            continue
        for face in faces:
            with profile.section("paste"):
                paste_back(frame.image(editable=True), face.source, face.restored, face.mask)
        yield frame, len(faces)


def encoder_settings(options: Options) -> EncoderSettings:
    """The part of the options that is the encoder's."""
    return EncoderSettings(
        *(options.codec, options.crf, options.preset, options.pix_fmt), options=options.encoder_options
    )
