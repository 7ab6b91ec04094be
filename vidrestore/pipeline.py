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
from .faces.paste import paste_back
from .media.decode import Frame
from .media.encode import EncoderSettings
from .media.output import MUXERS, check_output
from .media.streams import refuse_losses
from .media.writer import Writer
from .options import Options
from .portraits import CONTEXT, Models, restore_faces
from .restore.portrait import Portrait
from .runtime.device import find_device
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
        decoder = stack.enter_context(open_video(options, context=context))
        if options.strict:
            muxer = MUXERS[options.output.suffix.lower()]
            refuse_losses(options.input, muxer, decoder.stream.index, options.output.name)
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


def encoder_settings(options: Options) -> EncoderSettings:
    """The part of the options that is the encoder's."""
    return EncoderSettings(
        *(options.codec, options.crf, options.preset, options.pix_fmt), options=options.encoder_options
    )
