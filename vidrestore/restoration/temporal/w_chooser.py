"""Choose the fidelity weight and the strength of each face from its track's quality over time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from statistics import fmean

from ..fidelity.face_quality import FaceQuality, median_quality
from ..fidelity.rules import Limits, choose_w, describe, gate
from .face_crop import FaceCrop, PlannedFace, Source

log = logging.getLogger(__name__)

REACH = 12  #: frames to each side whose quality counts
#: Frames to each side over which a change of what a person set is spread.
_SPREAD = 6

#: Strength up to which a restoration is not visible.
_MIN_STRENGTH = 0.02
#: Share of a face's restoration from which on it counts as restored when changes are reported.
_RESTORED = 0.5
#: Tracks, the latest seen, of which it is remembered whether they are restored.
_REMEMBERED = 256


class Chooser:
    """A step that sets ``w`` and ``strength`` of face crops.

    The choice for each track is logged at its first frame, and where the track goes from restored to left
    alone or back.
    """

    def __init__(
        self,
        *,
        w: float | None,
        of_track: Mapping[int, float],
        limits: Limits,
        strength: float,
        noun: str = "track",
    ) -> None:
        """``w`` is the fidelity weight of all faces, None to choose it by their quality; ``of_track`` holds
        those of single tracks. ``strength`` in [0, 1] is the share of the restoration that a face gets whose
        gates are open. What a person set for a face takes precedence over ``w`` and ``strength``, and
        ``of_track`` over that. ``noun`` is what messages call what has a number."""
        self._noun = noun
        self._w = w
        self._of_track = of_track
        self._limits = limits
        self._strength = strength
        self._latest = 0  # track ids increase, so the latest one tells which have been logged
        self._restored: dict[int, bool] = {}  # tracks, the latest seen last

    def __call__(
        self, face: FaceCrop[Source], around: Sequence[tuple[int, FaceCrop[Source]]]
    ) -> PlannedFace[Source]:
        """``face`` with ``w`` and ``strength`` chosen by the median quality of it and those ``around``."""
        quality = median_quality([face.quality, *(other.quality for _, other in around)])
        w = self._choose_w(face, around, quality)
        opened = self._open([face, *(other for _, other in around)])
        if face.track > self._latest:
            self._latest = face.track
            level = logging.INFO if self._w is None or opened < 0.5 else logging.DEBUG
            decision = f"w {w:.2f}" if opened > _MIN_STRENGTH else "left alone"
            eased = f", at {opened:.0%}" if _MIN_STRENGTH < opened < 0.995 else ""
            text = self.describe(quality)
            log.log(level, "%s %d: %s: %s%s", self._noun, face.track, text, decision, eased)
        self._report_change(face, opened, quality)
        return PlannedFace(
            track=face.track,
            source=face.source,
            image=face.image,
            view=face.view,
            quality=quality,
            cover=face.cover,
            w=w,
            strength=self._choose_strength(face, around) * opened,
            restorer=face.restorer,
        )

    def _open(self, faces: Sequence[FaceCrop[Source]]) -> float:
        """The share of its restoration that a face gets by the quality of these ``faces``: the mean of the
        middle half of their gates. So single frames do not count, and the share changes over half as many
        frames as are looked at."""
        gates = sorted(gate(face.quality, self._limits) for face in faces)
        aside = len(gates) // 4
        return fmean(gates[aside : len(gates) - aside])

    def _report_change(self, face: FaceCrop[Source], opened: float, quality: FaceQuality) -> None:
        """Log where a track begins or ends to be restored."""
        before = self._restored.pop(face.track, None)
        restored = opened >= _RESTORED if before is None else before
        if before and opened <= _MIN_STRENGTH:
            restored = False
        elif before is False and opened >= _RESTORED:
            restored = True
        self._restored[face.track] = restored
        if len(self._restored) > _REMEMBERED:
            del self._restored[next(iter(self._restored))]
        if before is not None and restored != before:
            at = "" if face.time is None else f", from {float(face.time):.2f} s on"
            decision = "restored" if restored else "left alone"
            log.info("%s %d%s: %s: %s", self._noun, face.track, at, self.describe(quality), decision)

    def describe(self, quality: FaceQuality) -> str:
        """A short description of a face, see :func:`~..fidelity.rules.describe`."""
        return describe(quality, max_colour=self._limits.max_colour)

    def _choose_w(
        self, face: FaceCrop[Source], around: Sequence[tuple[int, FaceCrop[Source]]], quality: FaceQuality
    ) -> float:
        if (named := self._of_track.get(face.track)) is not None:
            return named
        usual = choose_w(quality) if self._w is None else self._w
        # The mean, so that w changes gradually where a span begins or ends.
        wanted = [crop.set_w for offset, crop in ((0, face), *around) if abs(offset) <= _SPREAD]
        return fmean(usual if w is None else w for w in wanted)

    def _choose_strength(
        self, face: FaceCrop[Source], around: Sequence[tuple[int, FaceCrop[Source]]]
    ) -> float:
        """The strength set for this face; less where a smaller one is set for a frame close by, so that
        strength changes gradually and is nowhere more than what is set."""
        usual, limit = self._strength, 1.0
        for offset, crop in ((0, face), *around):
            if abs(offset) > _SPREAD:
                continue
            strength = usual if crop.set_strength is None else crop.set_strength
            limit = min(limit, strength + (1 - strength) * abs(offset) / (_SPREAD + 1))
        return limit


def is_visible(face: PlannedFace[Source]) -> bool:
    """Whether any of the face's restoration would be visible."""
    return face.strength > _MIN_STRENGTH
