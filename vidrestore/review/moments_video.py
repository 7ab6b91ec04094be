"""A video of some moments, input and result side by side, and what a run over the whole video would take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import fmean

from ..media.encode.choose import choose_encoder
from ..media.output.destination import container_of
from ..media.output.segment_writer import SEGMENT_LENGTH
from ..media.output.video_writer import VideoWriter
from ..media.timeline import Span, Timeline
from ..runtime.profile import Profile
from ..stages.enlarging import enlarged_source
from ..stages.needs import Needs
from ..stages.setup import encoder_settings
from ..upscale.lanczos import Lanczos
from .drawing import clock
from .excerpts import found_beyond
from .look import Look
from .moments import Moment
from .quick_look import places_of
from .side_by_side import Comparer

#: Seconds that each moment is shown, and the part of them that is rendered where the video is too short for
#: less than a tenth of its work: what moves is judged by moving pictures.
_SHOWN, _LEAST = 2, Fraction(1, 4)
#: Share of the work of a whole run that the moments may take: a tenth, less the error of the figures below.
_SHARE = 0.095
#: Shares of a run's work per frame in its steps: finding faces, aligning, comparing, observing, rendering,
#: and what is done for the frame itself. Measured on a CPU with the embedded model: they only decide how long
#: moments are.
_FINDING, _ALIGNING, _COMPARING, _OBSERVING, _RENDERING, _FINISHING = 0.108, 0.08, 0.09, 0.2, 0.2, 0.33
#: The same of a place that is looked at to find the riskiest moments, and of the beginning of the program.
_LOOKING, _BEGINNING = 0.6, 21
#: Of the sections of a profile, those in which a face is worked on twice.
_TWICE = ("steady",)
#: Sections of a profile that are about faces.
_OF_FACES = ("align", "covers", "compare", "steady", "observe", "render", "masks", "finish", "paste")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run over the whole video would take, roughly."""

    seconds: float
    size: float  #: of its video, without sound, in bytes

    def __str__(self) -> str:
        size = f"{self.size / 1e9:.1f} GB" if self.size >= 1e9 else f"{self.size / 1e6:.1f} MB"
        took = _duration(self.seconds)
        return f"the whole video would take about {took} and become about {size}, without sound"


def moments_video(
    look: Look, moments: Sequence[Moment], out: Path, progress: Callable[[int, int], None]
) -> Estimate | None:
    """Write a video of the ``moments``, each for two seconds: slowed down if the video is so short that a
    whole run would hardly take longer than this. ``progress`` is called after each moment.

    Returns the estimate, None if the length of the video is not known. Raises VidrestoreError.
    """
    factor = look.options.upscale
    comparer, resampler = Comparer(enlarged_source(look.source, factor)), Lanczos(factor)
    container = container_of(out)
    rate, base = look.source.rate, look.source.time_base
    video = replace(comparer.video, timeline=Timeline(Fraction(0), Span()))
    encoder = choose_encoder(video, container, encoder_settings(look.options))
    frames = frames_of_each(look, len(moments))
    slowed = max(1, round(_SHOWN * rate / frames))
    result = look.result if look.models.task.w is not None else f"restored, {look.result}"
    written, began = 0, time.monotonic()
    starts = [max(Fraction(0), moment.time - Fraction(frames // 2) / rate) for moment in moments]
    with (
        ThreadPoolExecutor(1, thread_name_prefix="moment") as ahead,
        VideoWriter(out, video, encoder, container) as writer,
    ):
        following = ahead.submit(look.faces_around, starts[0], frames)
        for number, moment in enumerate(moments, 1):
            recording = following.result()
            if number < len(moments):  # while this one is restored
                following = ahead.submit(look.faces_around, starts[number], frames)
            for shown in look.restored(recording, starts[number - 1], frames):
                seconds = float(shown.frame.time - look.source.timeline.begin)
                slow = ", still" if frames == 1 else f", {slowed} times slower" if slowed > 1 else ""
                labels = (f"input, {clock(seconds)}{slow}", f"{result}{moment.why and ': '}{moment.why}")
                # The two have one size.
                before = shown.frame if factor == 1 else resampler(shown.frame)
                made = comparer(before.video, shown.restored[0], shown.frame.colour, labels)
                made.video.pts = round(written * slowed / rate / base)
                writer.write(made)
                written += 1
            progress(number, len(moments))
    both = look.tracking + look.restoring
    share = min(1.0, (time.monotonic() - began) / both) if both else 1.0  # as they were done side by side
    return _estimate(look, writer.packets, len(moments), written, share)


def frames_of_each(look: Look, moments: int) -> int:
    """Frames of each of so many moments: those of two seconds, or fewer, so that the moments take less than a
    tenth of the work of a run over the whole video. Those of a quarter of a second where stills would take
    more than that."""
    whole, least = (max(1, round(seconds * look.source.rate)) for seconds in (_SHOWN, _LEAST))
    if look.frames is None:
        return whole
    looking = 0 if look.recording else _LOOKING * places_of(look.source)
    left = _SHARE * (look.frames + _BEGINNING) - _BEGINNING - looking
    return next((n for n in range(whole, 0, -1) if moments * _work(n, look) <= left), least)


def _work(frames: int, look: Look) -> float:
    """The work of restoring a moment of ``frames`` frames, relative to that of a frame of a run."""
    needs = Needs.of(range(frames), task=look.options.task)
    found = 0 if look.recording else found_beyond(look.source.rate) + len(needs.aligned)
    return (
        _FINDING * found
        + _ALIGNING * len(needs.aligned)
        + _COMPARING * len(needs.planned)
        + _OBSERVING * len(needs.observed)
        + _RENDERING * len(needs.rendered)
        + _FINISHING * frames
    )


def _estimate(
    look: Look, packets: Sequence[int], moments: int, written: int, share: float
) -> Estimate | None:
    frames = look.frames
    if frames is None or not written:
        return None
    seconds = look.tracking / max(1, look.tracked) * frames
    faces = look.faces_per_frame
    if faces is None:  # moments were named: as many faces as there
        section = look.models.profile.sections.get("paste")
        faces = section.items / written if section else 0.0
    seconds += look.restoring * _ratio(look.models.profile, faces * frames)
    # Each moment begins with a large packet, and so does each segment of OUT. Half of the picture is OUT's.
    ordered = sorted(packets, reverse=True)
    key, others = fmean(ordered[:moments]), fmean(ordered[moments:] or ordered)
    return Estimate(share * seconds, 0.5 * frames * (others + (key - others) / SEGMENT_LENGTH))


def _ratio(profile: Profile, faces: float) -> float:
    """The time that ``faces`` take in the steps of a run, relative to the time of what was done of them."""
    sections = {name: profile.sections[name] for name in _OF_FACES if name in profile.sections}
    done = sum(section.seconds for section in sections.values())
    whole = sum(
        section.seconds / max(1, section.items) * faces * (2 if name in _TWICE else 1)
        for name, section in sections.items()
    )
    return whole / done if done else 0.0


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
