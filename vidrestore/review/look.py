"""What previews of a video share: its riskiest moments, and restored frames of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction

from ..errors import InputError, UsageError
from ..faces.recorded.recording import Recording
from ..media.source_video import SourceVideo
from ..options import Options
from ..runtime.device import float32_arithmetic
from ..runtime.memory import translate_out_of_memory
from ..runtime.profile import Profile
from ..stages.enlarging import enlarged_source
from ..stages.face_source import read_tracks
from ..stages.holes import check_mask
from ..stages.models import Models
from ..stages.networks import Networks
from ..stages.restoration import limits_of
from ..stages.setup import Setup, open_video, refuse_photo
from ..upscale.upscaler import Upscaler
from .excerpts import RestoredMoment, record_part, restore_part
from .moments import Moment, choose_moments, sights_of
from .quick_look import quick_look

#: Whose messages would be repeated for every part that is read and restored.
_REPEATED = ("vidrestore.media.decode", "vidrestore.restoration", "vidrestore.stages")


@dataclass
class Look:
    """A video to look into, and what that has taken so far."""

    options: Options
    setup: Setup
    source: SourceVideo
    first: Fraction  #: time of its first frame, in seconds after its beginning
    models: Models
    upscaler: Upscaler | None  #: None if frames keep their size
    networks: Networks  #: which have the detector
    recording: Recording | None  #: the tracks file, if there is one
    faces_per_frame: float | None = None  #: on average, once the riskiest moments have been looked for
    tracked: int = 0  #: frames in which faces were found and tracked
    tracking: float = 0.0  #: seconds that took
    restoring: float = 0.0  #: seconds that restoring took

    @property
    def result(self) -> str:
        """What a run makes of faces, in a word or two, such as ``w 0.5`` or ``coloured``."""
        task, w = self.models.task, self.options.w
        return task.done if task.w is not None else f"w {w if isinstance(w, str) else format(w, 'g')}"

    @property
    def frames(self) -> float | None:
        """Frames of the whole video; None if its length is not known."""
        source = self.source
        if source.frames:
            return float(source.frames)
        return None if source.duration is None else float(source.duration * source.rate)

    def moments(self, at: Sequence[Fraction], worst: int) -> list[Moment]:
        """The moments ``at``, or the ``worst`` riskiest ones. Raises VidrestoreError."""
        duration = self.source.duration
        for seconds in at:
            if duration is not None and seconds >= duration:
                raise UsageError(
                    f"--at {float(seconds):g} is after the end of {self.options.input.name}, which lasts "
                    f"{float(duration):.2f} s"
                )
        if at:
            return [Moment(seconds) for seconds in at]
        if self.recording:
            sights = list(sights_of(self.recording, limits_of(self.options)))
            self.faces_per_frame = self.recording.faces / max(1, self.recording.frames)
        else:
            looked = [
                list(faces) for faces in quick_look(self.options, self.setup, self.source, self.networks)
            ]
            sights = [sight for faces in looked for sight in faces]
            self.faces_per_frame = len(sights) / max(1, len(looked))
        if moments := choose_moments(sights, worst):
            return moments
        name = self.options.input.name
        raise InputError(f"no face that a run would change was found in {name}; give --at")

    def faces_around(self, start: Fraction, frames: int) -> Recording:
        """The faces of ``frames`` frames from ``start`` on and around them."""
        if self.recording:
            return self.recording
        began, rate = time.monotonic(), self.source.rate
        recording = record_part(
            self.options,
            self.setup,
            self.networks,
            start=start,
            frames=frames,
            rate=rate,
            first=self.first,
        )
        self.tracking += time.monotonic() - began
        self.tracked += recording.frames
        return recording

    def restored(
        self, recording: Recording, start: Fraction, frames: int, weights: Sequence[float] = ()
    ) -> Iterator[RestoredMoment]:
        """See :func:`.excerpts.restore_part`."""
        began = time.monotonic()
        yield from restore_part(
            self.options,
            self.setup,
            self.models,
            recording,
            start=start,
            frames=frames,
            weights=weights,
            upscaler=self.upscaler,
        )
        self.restoring += time.monotonic() - began


@contextmanager
def looking(options: Options) -> Iterator[Look]:
    """Open what previews need. Raises VidrestoreError."""
    refuse_photo(options)
    # Nothing is written by the usual encoder.
    options = replace(options, output=None)
    with ExitStack() as stack:
        with open_video(options) as decoder:
            source = decoder.source
            first = decoder.first.time - decoder.timeline.begin
            check_mask(options, decoder)
            recording = read_tracks(options, decoder) if options.tracks else None
        enlarged_source(source, options.upscale)  # which refuses what cannot be enlarged
        setup = Setup.resolve(options, source)
        stack.enter_context(translate_out_of_memory(setup.device))
        stack.enter_context(float32_arithmetic(setup.device, setup.restorer.precision))
        networks = Networks()
        models = networks.models(setup.restorer, Profile(setup.device))
        upscaler = networks.upscaler(setup.upscaler, setup.device)
        stack.enter_context(_said_once())
        yield Look(options, setup, source, first, models, upscaler, networks, recording)


@contextmanager
def _said_once() -> Iterator[None]:
    """Print no messages about parts of the video."""
    loggers = [logging.getLogger(name) for name in _REPEATED]
    levels = [log.level for log in loggers]
    try:
        for log in loggers:
            log.setLevel(logging.ERROR)
        yield
    finally:
        for log, level in zip(loggers, levels, strict=True):
            log.setLevel(level)
