"""A streaming decoder feeds frames through batched face detection with Kalman-smoothed tracking, batched
CodeFormer restoration with per-track fidelity, temporally blended paste-back, and re-encoding with the
original audio."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from .faces.alignment.align import Placement
from .faces.source import FaceSource
from .media.decode.decoder import Decoder
from .media.frames.frame import Frame
from .media.output.destination import check_output, display_name
from .media.output.segment_writer import SEGMENT_LENGTH, SegmentWriter
from .media.output.special_files import is_stream
from .media.output.writer import StreamWriter
from .media.remux.stream_plan import refuse_losses
from .media.source_video import SourceVideo
from .options import Options
from .report import Report
from .restoration.temporal.face_crop import FaceCrop, RestoredFace
from .review.compare import Comparison, check_comparison
from .review.files import ReviewFiles
from .runtime.device import float32_arithmetic
from .runtime.memory import translate_out_of_memory
from .runtime.profile import Profile
from .runtime.scheduler import QUEUE_DEPTH, Stages
from .stages.enlarging import enlarge, enlarged_source, in_input
from .stages.face_source import Tracked, origin_of, track_faces
from .stages.models import Models
from .stages.networks import Networks
from .stages.notes import FrameNotes, Notes
from .stages.portion import PortionRun
from .stages.reference_guard import ReferenceGuard
from .stages.restoration import CONTEXT, limits_of, restore_faces
from .stages.resume import NOTHING, Resume
from .stages.reuse import Reuse, begin_earlier
from .stages.setup import Setup, open_video, refuse_photo
from .stages.stretches import Stretches
from .upscale.upscaler import Upscaler

log = logging.getLogger(__name__)


def restore_video(
    options: Options,
    progress: Callable[[int, int], None] = lambda frames, faces: None,
    *,
    segment_length: int = SEGMENT_LENGTH,
    networks: Networks | None = None,
    complete: Callable[[Path], None] = lambda path: None,
) -> Report:
    """Restore the faces of ``options.input`` into ``options.output``.

    ``progress`` is called after each frame with the numbers of frames and faces done. Every
    ``segment_length`` frames a segment is kept on disk: if the run ends early, the next run with the same
    options resumes after it. ``networks`` holds what earlier runs have loaded. ``complete`` is called with
    the complete file just before it becomes OUT, unless that is a stream. Raises VidrestoreError, and then
    leaves no OUT behind, unless it says that OUT is complete: a report or a comparison may fail after it.
    """
    started, out = time.monotonic(), options.destination
    check_output(out, options.input, overwrite=options.overwrite, container=options.container)
    check_comparison(options)
    with ReviewFiles(options) as review, ExitStack() as stack:
        decoder = stack.enter_context(open_for_restoration(options))
        setup = Setup.resolve(options, decoder.source)
        log.debug("%s", setup)
        if options.strict and setup.container:
            refuse_losses(decoder.source, setup.container, display_name(out))
        say_deinterlaced(options, decoder)
        stack.enter_context(translate_out_of_memory(setup.device))
        stack.enter_context(float32_arithmetic(setup.device, setup.restorer.precision))
        profile = Profile(setup.device)
        # Entered before the writer, so that finishing OUT counts as part of the last stage's time.
        stage = stack.enter_context(Stages(depth=QUEUE_DEPTH, last="encode", profile=profile))
        comparison = Comparison.begin(options, decoder.source, lambda: progress(writer.frames, faces))
        writer = stack.enter_context(
            open_output(
                options,
                setup,
                decoder.source,
                segment_length,
                comparison=comparison,
                complete=complete,
                told=review.told,
            )
        )
        networks = networks or Networks()
        models = networks.models(setup.restorer, profile)
        earlier = begin_earlier(writer, decoder, options, setup, lambda: progress(0, 0))
        done, faces, tracks = earlier.frames, earlier.faces, earlier.tracks
        if earlier.wanted:
            source, frames = restore_frames(
                options,
                setup,
                models,
                decoder,
                stage,
                earlier=earlier,
                segment_length=segment_length,
                networks=networks,
            )
            earlier.insert(writer)
            for frame, notes in stage(frames, "paste"):
                writer.write(frame, {"faces": notes.restored, "notes": to_builtins(notes)})
                faces += notes.restored
                earlier.insert(writer)
                progress(writer.frames, faces)
            tracks = max(tracks, source.tracks)
        earlier.insert(writer)
        origin = origin_of(options, decoder)
        stack.close()  # finishes OUT
        report = Report(
            output=out,
            frames=writer.frames,
            faces=faces,
            tracks=tracks,
            resumed=done,
            seconds=time.monotonic() - started,
            setup=setup,
            profile=profile,
        )
        review.write(origin=origin, setup=setup, licence=models.restorer.spec.licence, times=report.times)
    if comparison and comparison.failed:
        raise comparison.failed
    return report


def stream_frames(options: Options) -> Iterator[tuple[Frame, int]]:
    """Yield each frame of ``options.input`` with its faces restored, and their number; no file is written.

    Raises VidrestoreError.
    """
    refuse_photo(options)
    with ExitStack() as stack:
        decoder = stack.enter_context(open_for_restoration(options))
        setup = Setup.resolve(options, decoder.source)
        stack.enter_context(translate_out_of_memory(setup.device))
        stack.enter_context(float32_arithmetic(setup.device, setup.restorer.precision))
        profile = Profile(setup.device)
        stage = stack.enter_context(Stages(depth=QUEUE_DEPTH, last="caller", profile=profile))
        models = Models(setup.restorer, profile)
        _, frames = restore_frames(options, setup, models, decoder, stage)
        yield from ((frame, notes.restored) for frame, notes in stage(frames, "paste"))


def restore_frames(
    options: Options,
    setup: Setup,
    models: Models,
    decoder: Decoder,
    stage: Stages,
    *,
    earlier: Resume | Reuse | PortionRun = NOTHING,
    segment_length: int = SEGMENT_LENGTH,
    networks: Networks | None = None,
) -> tuple[FaceSource[Frame], Iterator[tuple[Frame, FrameNotes]]]:
    """The source of the faces, and the frames that were not finished ``earlier`` with restored faces, and
    with notes of what was done."""
    notes = Notes(limits_of(options), models.readable, fills=models.task.fills)

    def noted(source: FaceSource[Frame], tracked: Tracked) -> Tracked:
        return notes.watch(source, earlier.watch(source, tracked))

    source, tracked = track_faces(
        options,
        setup,
        decoder,
        stage,
        noted,
        recorded=earlier.source,
        frames=earlier.decoded(decoder),
        networks=networks,
    )
    restored = restore_faces(
        align(tracked, models, notes),
        models,
        options,
        stage,
        batch=setup.batch,
        segment_length=segment_length,
        guard=ReferenceGuard.of(source, models),
        needs=earlier.needs,
        note=notes.planned,
    )
    upscaler = (networks or Networks()).upscaler(setup.upscaler, setup.device)
    return source, paste(restored, models, notes, earlier.wanted, upscaler)


def open_for_restoration(options: Options) -> Decoder:
    """Open the video of a run. With a tracks file, frames around its span are decoded too, so that part of a
    video comes out as it does in a run over the whole. Raises InputError or UsageError."""
    return open_video(options, context=CONTEXT if options.tracks else 0)


def say_deinterlaced(options: Options, decoder: Decoder) -> None:
    """Say that a run changes samples outside faces too, if it was not asked for that."""
    if options.deinterlace == "auto" and decoder.deinterlaces:
        name = options.input.name
        log.info("%s is interlaced, and is deinterlaced: --deinterlace off keeps its fields", name)


def open_output(
    options: Options,
    setup: Setup,
    source: SourceVideo,
    segment_length: int,
    *,
    comparison: Comparison | None,
    complete: Callable[[Path], None],
    told: Callable[[Sequence[Mapping[str, Any]]], object] | None,
) -> StreamWriter | SegmentWriter:
    """Open the writer of OUT for the video ``source``. Output to a stream cannot be resumed. ``comparison``
    and then ``complete`` are given the complete file before it becomes OUT, unless that is a stream; ``told``
    is called with the infos of frames that are in OUT. Raises OutputError or UsageError."""
    source = enlarged_source(source, options.upscale)
    out, container, encoder = options.destination, setup.container, setup.encoder
    assert container is not None  # as OUT is given
    assert encoder is not None
    if is_stream(out):
        return StreamWriter(out, source, encoder, container=container, strict=options.strict, told=told)

    def inspect(path: Path) -> None:
        if comparison:
            comparison.write(path)
        complete(path)

    return SegmentWriter(
        out,
        source,
        encoder,
        container=container,
        strict=options.strict,
        replaces=options.overwrite,
        length=segment_length,
        inspect=inspect,
        told=told,
    )


def align(
    tracked: Tracked, models: Models, notes: Notes
) -> Iterator[tuple[Frame, list[FaceCrop[Placement]]]]:
    """Cut the faces out of their frames."""
    for frame, faces in tracked:
        crops = models.align(frame, faces)
        notes.crops(frame, crops)
        yield frame, crops


def paste(
    restored: Iterable[tuple[Frame, list[RestoredFace[Placement]]]],
    models: Models,
    notes: Notes,
    wanted: Stretches,
    upscaler: Upscaler | None = None,
) -> Iterator[tuple[Frame, FrameNotes]]:
    """Finish restored faces and paste them into their frames, which ``upscaler`` has enlarged. Yields the
    frames in ``wanted``, without context frames, and the notes of each."""
    for frame, faces in restored:
        if frame.context or frame.index not in wanted:
            notes.take(frame)
            continue
        with models.profile.section("enlarge"):
            result, moved = enlarge(frame, faces, upscaler)
        for face, written in models.paste(result, moved):
            with models.profile.section("notes"):
                notes.pasted(frame, face, in_input(written, upscaler.factor if upscaler else 1))
        yield result, notes.take(frame)
