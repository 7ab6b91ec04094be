"""A streaming decoder feeds frames through batched face detection with Kalman-smoothed tracking, batched
CodeFormer restoration with per-track fidelity, temporally blended paste-back, and re-encoding with the
original audio."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from .analyze import follow_faces, recorded_source
from .faces.detect import working_size
from .faces.detectors import choose_detector
from .faces.paste import paste_back
from .media.copy import StreamCopier
from .media.decode import Decoder, Frame
from .media.encode import EncoderSettings, choose_encoder
from .media.writer import Writer
from .media.output import MUXERS, check_output
from .media.probe import probe
from .media.timeline import Span
from .options import Options
from .portraits import CONTEXT, Models, batch_size, restore_faces
from .restore.models import planned_model
from .restore.portrait import Portrait
from .runtime.device import find_device, find_precision
from .runtime.profile import Profile
from .runtime.stages import Stages

log = logging.getLogger(__name__)

#: Frames in each queue between two stages: enough to even out their pace.
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    frames: int
    faces: int
    tracks: int
    seconds: float
    model: str
    profile: Profile


def restore_video(
    options: Options, progress: Callable[[int, int], None] = lambda frames, faces: None
) -> Report:
    """Restore the faces of ``options.input`` into ``options.output``.

    ``progress`` is called after each frame with how many frames and faces are done. Raises
    VidrestoreError, and leaves no OUT behind then.
    """
    started = time.monotonic()
    check_output(options.output, options.input, overwrite=options.overwrite)
    profile = Profile(find_device(options.device))
    with ExitStack() as stack:
        # With recorded faces a part of a video comes out as it does of the whole.
        context = CONTEXT if options.tracks else 0
        span = Span(options.start, options.stop)
        decoder = stack.enter_context(
            Decoder(options.input, span, context=context, video_stream=options.video_stream)
        )
        stage = stack.enter_context(Stages(depth=_DEPTH, last="encode", profile=profile))
        writer = stack.enter_context(Writer(options.output, decoder, encoder_settings(options)))
        models = Models(options, profile)
        log.debug("%s", models)
        log.debug("encoder: %s", writer.encoder)

        source, tracked = follow_faces(options, decoder, models.device, stage)
        aligned = ((frame, models.align(frame, faces)) for frame, faces in tracked)
        restored = restore_faces(aligned, models, options, source.settings, stage)
        faces = 0
        for frame, count in stage(paste(restored, profile), "paste"):
            writer.write(frame)
            faces += count
            progress(writer.frames, faces)
    return Report(
        *(writer.frames, faces, source.tracks, time.monotonic() - started, models.restorer.spec.name),
        profile=profile,
    )


def paste(restored: Iterable[tuple[Frame, list[Portrait]]], profile: Profile) -> Iterator[tuple[Frame, int]]:
    """The frames that are wanted, with their faces in them, and how many these are."""
    for frame, portraits in restored:
        if frame.context:
            continue
        for portrait in portraits:
            with profile.section("paste"):
                paste_back(frame.picture(editable=True), portrait.source, portrait.restored, portrait.mask)
        yield frame, len(portraits)


def plan(options: Options) -> str:
    """What :func:`restore_video` would do, in words. Raises VidrestoreError for what it would refuse."""
    check_output(options.output, options.input, overwrite=options.overwrite)
    info = probe(options.input, video_stream=options.video_stream)
    device = find_device(options.device)
    precision = find_precision(options.precision, device)
    with Decoder(
        options.input, Span(options.start, options.stop), video_stream=options.video_stream
    ) as decoder:
        source = recorded_source(options, decoder) if options.tracks else None
        muxer = MUXERS[options.output.suffix.lower()]
        encoder = choose_encoder(decoder.stream, muxer, encoder_settings(options))
        frame = decoder.first
        lost = StreamCopier.refused(decoder.path, muxer, decoder.stream.index)
    size = working_size(*frame.upright_size)
    colour = frame.colour
    lines = [
        str(info),
        f"colour: K_R {colour.kr}, K_B {colour.kb}{' (guessed from the size)' if colour.guessed else ''}, "
        f"{'full' if colour.full_range else 'limited'} range",
        f"faces: {options.tracks}"
        if source
        else f"detector: {choose_detector(options.detector, offline=True)} at {size[0]}x{size[1]}",
        f"model: {options.weights or planned_model(options.model, offline=options.offline)}, w {options.w}",
        f"device: {device}, {precision}, batches of {batch_size(options, device, precision)}",
        f"encoder: {encoder}",
        f"would write {options.output}",
    ]
    lines += [f"would leave out {stream}: {muxer} cannot hold it" for stream in lost]
    return "\n".join(lines)


def encoder_settings(options: Options) -> EncoderSettings:
    """The part of the options that is the encoder's."""
    return EncoderSettings(options.codec, options.crf, options.preset, options.pix_fmt)
