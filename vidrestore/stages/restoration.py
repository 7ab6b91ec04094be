"""The steps of restoration in their order, and the number of frames over which each one looks."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import TypeVar

from ..faces.alignment.align import Placement
from ..media.frames.frame import Frame
from ..options import Options, steady_parts
from ..restoration.fidelity.rules import Limits
from ..restoration.tasks import TASKS, find_task
from ..restoration.temporal import code_averaging, cover_tracking, stabilise, tint, w_chooser
from ..restoration.temporal.code_averaging import as_neighbour, average_codes
from ..restoration.temporal.cover_tracking import steady_cover
from ..restoration.temporal.face_crop import FaceCrop, ObservedFace, PlannedFace, RestoredFace
from ..restoration.temporal.stabilise import compare, skip_comparison, stabilise_input, stabilise_output
from ..restoration.temporal.w_chooser import Chooser, is_visible
from ..runtime.batching import BatchRunner, fill_batches
from ..runtime.host import background_workers, usable_cores
from ..runtime.scheduler import Stages
from ..runtime.windows import windowed
from . import reference_guard
from .models import Models
from .needs import Needs
from .reference_guard import ReferenceGuard

Part = TypeVar("Part")

#: Frames to each side that a restored face depends on: the sum over all steps that look across time.
CONTEXT = (
    cover_tracking.REACH
    + w_chooser.REACH
    + stabilise.REACH
    + stabilise.INPUT_REACH
    + reference_guard.REACH
    + code_averaging.REACH
    + stabilise.OUTPUT_REACH
    + tint.REACH
)
# The last two steps look at what was rendered, not at each other's results: so far may either look.
assert all(task.reach <= stabilise.OUTPUT_REACH + tint.REACH for task in TASKS.values())
#: Frames before a frame whose rendered faces, and whose observed faces, it depends on.
_RENDERED = stabilise.OUTPUT_REACH + tint.REACH
_OBSERVED = code_averaging.REACH + _RENDERED


def restore_faces(
    aligned: Iterable[tuple[Frame, list[FaceCrop[Placement]]]],
    models: Models,
    options: Options,
    stage: Stages,
    *,
    batch: int,
    segment_length: int,
    guard: ReferenceGuard | None = None,
    needs: Needs | None = None,
    variants: Callable[[ObservedFace[Placement]], Sequence[ObservedFace[Placement]]] | None = None,
    note: Callable[[Frame, Sequence[PlannedFace[Placement]]], object] = lambda frame, faces: None,
) -> Iterator[tuple[Frame, list[RestoredFace[Placement]]]]:
    """Restore the faces of every frame and stabilise them over the frames around it.

    The steps before the network and the network itself become stages of ``stage``. From the first frame of
    each segment on, results do not depend on frames more than ``CONTEXT`` before it: batches are flushed at
    segment boundaries, every ``segment_length`` frames. ``note`` is called with the faces of each frame,
    those that are left alone included, when it is decided how much they are restored.

    ``guard`` compares faces with photographs of their persons. With ``needs``, only the frames wanted there
    come out whole: what they do not need of others is left out. ``variants`` makes of each observed face
    those that are restored in its place, each of its own track.
    """
    parts, task = steady_parts(options.steady), models.task
    batches = BatchRunner(batch, models.device)
    batched = partial(fill_batches, batches=batches, max_held=2 * batches.size)
    timed = models.profile.timed
    over_time = partial(windowed, key=attrgetter("track"))
    in_background = partial(over_time, workers=background_workers(usable_cores()))

    def precedes_segment(frames: int) -> Callable[[Frame], bool]:
        """Tests whether a frame lies ``frames`` frames before a segment boundary."""
        return lambda frame: (frame.index + frames) % segment_length == 0

    def visible(frame: Frame, faces: list[PlannedFace[Placement]]) -> list[PlannedFace[Placement]]:
        note(frame, faces)
        return [face for face in faces if is_visible(face) and task.wants(face.cover)]

    aligned = over_time(aligned, steady_cover, reach=cover_tracking.REACH)
    planned = over_time(aligned, chooser(options), reach=w_chooser.REACH)
    shown = ((frame, visible(frame, faces)) for frame, faces in planned)
    if needs:
        shown = _only(shown, needs.planned)
        near, whole = needs.reach(stabilise.INPUT_REACH, stabilise.REACH), needs.reach(0, stabilise.REACH)
        seen = needs.reach(stabilise.INPUT_REACH, stabilise.INPUT_REACH)
    else:
        near = whole = seen = None
    if parts & {"input", "codes", "output"}:
        compared = in_background(shown, timed("compare", compare), reach=stabilise.REACH, reach_of=near)
    else:
        compared = ((frame, list(map(skip_comparison, faces))) for frame, faces in shown)
    if "input" in parts:
        steady = timed("steady", stabilise_input)
        compared = in_background(compared, steady, reach=stabilise.INPUT_REACH, reach_of=seen)
    if needs:
        compared = _only(compared, needs.compared)
    compared = stage(compared, "align")
    restore = partial(models.restore, keep_colours="colour" in parts)
    if guard:
        compared = ((frame, guard.measure(frame, faces, restore)) for frame, faces in compared)
        compared = over_time(compared, reference_guard.hold, reach=reference_guard.REACH)
        if needs:
            compared = _only(compared, needs.observed)
    observed = batched(compared, models.observe, starts_batch=precedes_segment(_OBSERVED))
    if "codes" in parts and models.has_codes:
        observed = over_time(observed, average_codes, reach=code_averaging.REACH, keep=as_neighbour)
    if needs:
        observed = _rendered(observed, needs)
    if variants:
        observed = ((frame, [v for face in faces for v in variants(face)]) for frame, faces in observed)
    restored = batched(observed, restore, starts_batch=precedes_segment(_RENDERED))
    restored = stage(restored, "restore", urgent=False)
    if "output" in parts:
        steady = timed("steady", partial(stabilise_output, covers_count=task.fills))
        restored = in_background(restored, steady, reach=stabilise.OUTPUT_REACH, reach_of=whole)
    if "colour" in parts:
        restored = over_time(restored, task.hold, reach=task.reach)
    return restored


def _rendered(
    frames: Iterable[tuple[Frame, list[ObservedFace[Placement]]]], needs: Needs
) -> Iterator[tuple[Frame, list[ObservedFace[Placement]]]]:
    """``frames`` with the faces that are rendered or measured."""
    for frame, faces in _only(frames, needs.rendered | needs.measured):
        shown = frame.index in needs.rendered
        yield frame, faces if shown else [replace(face, is_shown=False) for face in faces]


def _only(
    frames: Iterable[tuple[Frame, list[Part]]], needed: Container[int]
) -> Iterator[tuple[Frame, list[Part]]]:
    """``frames`` with the faces of those whose numbers are ``needed``."""
    return ((frame, faces if frame.index in needed else []) for frame, faces in frames)


def chooser(options: Options, noun: str = "track") -> Chooser:
    """The step that chooses each face's ``w``: ``--track-w``, else the tracks file's, else ``--w``. ``noun``
    is what messages call what has a number."""
    fixed = find_task(options.task).w
    return Chooser(
        noun=noun,
        w=fixed if fixed is not None else None if isinstance(options.w, str) else options.w,
        of_track=dict(options.track_w),
        limits=limits_of(options),
        strength=options.strength,
    )


def limits_of(options: Options) -> Limits:
    """Which faces are left alone."""
    task = find_task(options.task)
    return Limits(
        min_size=options.min_face,
        max_sharpness=options.max_sharpness if task.spares_sharp else 0.0,
        max_yaw=options.max_yaw,
        max_colour=task.max_colour,
    )
