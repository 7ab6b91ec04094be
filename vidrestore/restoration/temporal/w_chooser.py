"""Choose the fidelity weight and the strength of each face from its track's quality over time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..fidelity.face_quality import FaceQuality, median_quality
from ..fidelity.rules import choose_w, describe, gate
from .face_crop import FaceCrop, PlannedFace, Source

log = logging.getLogger(__name__)

REACH = 6  #: frames to each side whose quality counts

#: Strength up to which a restoration is not visible.
_MIN_STRENGTH = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which faces are left alone: the limits of :func:`~..fidelity.rules.gate`; 0 disables one."""

    min_size: float
    max_sharpness: float
    max_yaw: float


class Chooser:
    """A step that sets ``w`` and ``strength`` of face crops.

    The choice for each track is logged once, at its first frame.
    """

    def __init__(
        self, *, w: float | None, of_track: Mapping[int, float], limits: Limits, strength: float
    ) -> None:
        """``w`` is the fidelity weight of all faces, None to choose it by their quality; ``of_track`` holds
        those of single tracks. ``strength`` in [0, 1] is the share of the restoration that a face gets whose
        gates are open. What a person set for a face takes precedence over ``w`` and ``strength``, and
        ``of_track`` over that."""
        self._w = w
        self._of_track = of_track
        self._limits = limits
        self._strength = strength
        self._latest = 0  # track ids increase, so the latest one tells which have been logged

    def __call__(
        self, face: FaceCrop[Source], around: Sequence[tuple[int, FaceCrop[Source]]]
    ) -> PlannedFace[Source]:
        """``face`` with ``w`` and ``strength`` chosen by the median quality of it and those ``around``."""
        quality = median_quality([face.quality, *(other.quality for _, other in around)])
        w = self._choose_w(face, around, quality)
        opened = gate(
            quality,
            min_size=self._limits.min_size,
            max_sharpness=self._limits.max_sharpness,
            max_yaw=self._limits.max_yaw,
        )
        if face.track > self._latest:
            self._latest = face.track
            level = logging.INFO if self._w is None or opened < 0.5 else logging.DEBUG
            decision = f"w {w:.2f}" if opened > _MIN_STRENGTH else "left alone"
            eased = f", at {opened:.0%}" if _MIN_STRENGTH < opened < 0.995 else ""
            log.log(level, "track %d: %s: %s%s", face.track, describe(quality), decision, eased)
        return PlannedFace(
            track=face.track,
            source=face.source,
            image=face.image,
            view=face.view,
            quality=quality,
            w=w,
            strength=self._choose_strength(face, around) * opened,
        )

    def _choose_w(
        self, face: FaceCrop[Source], around: Sequence[tuple[int, FaceCrop[Source]]], quality: FaceQuality
    ) -> float:
        if (named := self._of_track.get(face.track)) is not None:
            return named
        usual = choose_w(quality) if self._w is None else self._w
        # The mean, so that w changes gradually where a span begins or ends.
        wanted = [crop.set_w for crop in (face, *(other for _, other in around))]
        return fmean(usual if w is None else w for w in wanted)

    def _choose_strength(
        self, face: FaceCrop[Source], around: Sequence[tuple[int, FaceCrop[Source]]]
    ) -> float:
        """The strength set for this face; less where a smaller one is set for a frame close by, so that
        strength changes gradually and is nowhere more than what is set."""
        usual, limit = self._strength, 1.0
        for offset, crop in ((0, face), *around):
            strength = usual if crop.set_strength is None else crop.set_strength
            limit = min(limit, strength + (1 - strength) * abs(offset) / (REACH + 1))
        return limit


def is_visible(face: PlannedFace[Source]) -> bool:
    """Whether any of the face's restoration would be visible."""
    return face.strength > _MIN_STRENGTH
