"""Which frames each step of restoration must work on, so that some frames come out as in a run over all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from ..media.frames.frame import Frame
from ..restoration.tasks import find_task
from ..restoration.temporal import code_averaging, cover_tracking, stabilise, w_chooser
from . import reference_guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Numbers of the frames whose faces a step must work on: of others it may leave them out."""

    wanted: frozenset[int]  #: frames that are to come out as in a run over all
    rendered: frozenset[int]
    measured: frozenset[int]  #: of what is not rendered, only the colours of the input matter
    observed: frozenset[int]
    compared: frozenset[int]
    planned: frozenset[int]
    aligned: frozenset[int]

    @classmethod
    def of(cls, wanted: Iterable[int], *, guarded: bool = False, task: str = "restore") -> Self:
        """What the frames ``wanted`` need. ``guarded``: faces are compared with photographs. ``task`` is what
        is done to them."""
        frames = frozenset(wanted)
        done = find_task(task)
        measured = _around(frames, range(done.reach + 1))
        rendered = _around(frames, {0, *stabilise.OUTPUT_OFFSETS})
        if done.measures_results:
            rendered |= measured
        observed = _around(rendered, range(code_averaging.REACH + 1)) | measured
        compared = _around(observed, range(reference_guard.REACH + 1)) if guarded else observed
        planned = _around(compared, range(stabilise.INPUT_REACH + 1))
        # The quality by which w is chosen does not depend on what lies over the face in other frames.
        aligned = _around(planned, range(max(w_chooser.REACH, cover_tracking.REACH) + 1))
        return cls(
            wanted=frames,
            rendered=rendered,
            measured=measured,
            observed=observed,
            compared=compared,
            planned=planned,
            aligned=aligned,
        )

    def reach(self, observed: int, wanted: int) -> Callable[[Frame], int]:
        """How many frames to each side a step looks at, for a frame that is ``observed`` or ``wanted``; 0 for
        others."""

        def of(frame: Frame) -> int:
            number = frame.index
            return wanted if number in self.wanted else observed if number in self.compared else 0

        return of


def _around(frames: frozenset[int], offsets: Iterable[int]) -> frozenset[int]:
    """The frames at ``offsets`` to either side of ``frames``."""
    steps = [sign * offset for offset in offsets for sign in (-1, 1)]
    return frozenset(frame + step for frame in frames for step in steps)
