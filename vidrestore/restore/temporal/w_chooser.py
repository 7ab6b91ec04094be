"""What each face gets: its fidelity weight and how much of its restoration, steady over time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..fidelity.face_quality import mean
from ..fidelity.rules import choose_w, explain, gate
from .face_crop import Portrait

log = logging.getLogger(__name__)

REACH = 6  #: frames to each side whose condition counts

#: Of the restoration, what is as good as none.
_NOTHING = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which faces are left alone, as :func:`~.fidelity.gate` has it; 0 opens a gate."""

    min_size: float
    max_sharpness: float
    max_yaw: float


class Chooser:
    """Sets the ``w`` and the ``strength`` of portraits by the condition of their track around them.

    ``w`` holds for all, None chooses by the condition; ``of_track`` gives that of a track, or None. What is
    chosen is logged once a track, where it begins.
    """

    def __init__(
        self, *, w: float | None, of_track: Callable[[int], float | None], limits: Limits, strength: float
    ) -> None:
        self._w = w
        self._of_track = of_track
        self._limits = limits
        self._strength = strength
        self._latest = 0  # tracks are counted in the order they come in; ids of ended ones are not kept

    def __call__(self, portrait: Portrait, around: Sequence[tuple[int, Portrait]]) -> Portrait:
        """``portrait`` with its ``w`` and ``strength``."""
        condition = mean([portrait.condition, *(other.condition for _, other in around)])
        w = self._of_track(portrait.track)
        w = self._w if w is None else w
        w = choose_w(condition) if w is None else w
        opened = gate(
            condition,
            min_size=self._limits.min_size,
            max_sharpness=self._limits.max_sharpness,
            max_yaw=self._limits.max_yaw,
        )
        if portrait.track > self._latest:
            self._latest = portrait.track
            level = logging.INFO if self._w is None or opened < 0.5 else logging.DEBUG
            fate = f"w {w:.2f}" if opened > _NOTHING else "left alone"
            eased = f", at {opened:.0%}" if _NOTHING < opened < 0.995 else ""
            log.log(level, "track %d: %s: %s%s", portrait.track, explain(condition), fate, eased)
        return replace(portrait, w=w, strength=self._strength * opened)


def is_wanted(portrait: Portrait) -> bool:
    """Whether any of its restoration would be seen."""
    return portrait.strength > _NOTHING
