"""Guard identity against photographs of persons: a restored face must not become less like the photograph of
its person than its input is.

An embedding takes too long for every frame. It is computed at the first frame of a track and at frames whose
number in the tracks file is a multiple of :data:`EVERY`; what follows for the frames between is interpolated.
So it does not depend on where a run begins, and changes gradually.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from ..faces.alignment.align import Placement
from ..faces.identity.embedding import IdentityEmbedding
from ..faces.identity.load import load_embedding
from ..faces.recorded.recorded_source import RecordedSource
from ..faces.source import FaceSource
from ..media.frames.frame import Frame
from ..restoration.temporal.face_crop import ComparedFace, Likeness, ObservedFace, RestoredFace
from ..runtime.ramps import smoothstep
from .face_source import timestamp
from .models import Models

log = logging.getLogger(__name__)

EVERY = 12  #: frames from one that is measured to the next
REACH = EVERY - 1  #: frames to each side in which one is measured, as long as the track lasts
#: How much further from the photograph than its input a restored face may be, and from which on it gets the
#: largest ``w``. Of 14 portraits, degraded at three levels, the embedded model's faces are further by .08 at
#: most and by .00 in the median; half blended with another person's face, by .35 in the median.
TOLERANCE, _LOST = 0.10, 0.25

Restore = Callable[[Sequence[ObservedFace[Placement]]], Sequence[RestoredFace[Placement]]]


class ReferenceGuard:
    """Compares restored faces with the photographs of their persons."""

    def __init__(
        self,
        embed: Callable[[Sequence[np.ndarray]], np.ndarray],
        models: Models,
        number: Callable[[Frame], int],
    ) -> None:
        """``number`` returns the number of a frame in the whole video."""
        self._embed = embed
        self._models = models
        self._number = number
        self._before: tuple[int, frozenset[int]] = -1, frozenset()  # the frame before, and its tracks

    @classmethod
    def of(cls, source: FaceSource[Frame], models: Models) -> ReferenceGuard | None:
        """The guard of a run with the faces of ``source``; None if there is no photograph, or if results are
        not held to their inputs at all."""
        if not (isinstance(source, RecordedSource) and models.task.guarded):
            return None
        recording = source.recording
        names = [each.name or f"person {id}" for id, each in recording.persons.items() if each.reference]
        if not names:
            return None
        embed = load_embedding()
        if not isinstance(embed, IdentityEmbedding):
            log.warning(
                "the photographs only name %s: guarding their identity needs pip install "
                '"vidrestore[persons]"',
                ", ".join(names),
            )
            return None
        return cls(embed, models, lambda frame: bisect_left(recording.timestamps, timestamp(frame)))

    def measure(
        self, frame: Frame, faces: Sequence[ComparedFace[Placement]], restore: Restore
    ) -> list[ComparedFace[Placement]]:
        """``faces``, all those of a frame; those whose turn it is with their likeness. Frames come in their
        order. ``restore`` restores observed faces."""
        number = self._number(frame)
        last, tracks = self._before
        known = tracks if last == number - 1 else frozenset()
        self._before = number, frozenset(face.track for face in faces)
        return [
            replace(face, likeness=self._likeness(face, reference, restore))
            if (reference := face.source.face.reference) is not None
            and (number % EVERY == 0 or face.track not in known)
            else face
            for face in faces
        ]

    def _likeness(
        self, face: ComparedFace[Placement], reference: Sequence[float], restore: Restore
    ) -> Likeness:
        with self._models.profile.section("reference"):
            [observed] = self._models.observe([face])
            before = self._distance(face.image, reference)

            def excess(w: float) -> float:
                [restored] = restore([replace(observed, w=w)])
                return self._distance(restored.restored, reference) - before

            first = rest = excess(face.w)
            raised = _share(first) if face.w < 1 else 0.0
            if raised:
                rest = excess(face.w + (1 - face.w) * raised)
        return Likeness(before, before + first, raised, min(1.0, TOLERANCE / max(rest, TOLERANCE)))

    def _distance(self, image: Tensor, reference: Sequence[float]) -> float:
        picture = (image.float() * 255).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
        return float(np.linalg.norm(self._embed([np.ascontiguousarray(picture)])[0] - reference))


def hold(
    face: ComparedFace[Placement], around: Sequence[tuple[int, ComparedFace[Placement]]]
) -> ComparedFace[Placement]:
    """``face`` with ``w`` and ``strength`` as the likeness of the measured faces before and after it tells.

    ``around`` holds pairs of an offset in frames, at most ``REACH``, and the face there, nearest first."""
    measured = [(at, other.likeness) for at, other in ((0, face), *around) if other.likeness]
    before = next(((at, found) for at, found in measured if at <= 0), None)
    after = next(((at, found) for at, found in measured if at >= 0), None)
    if not (before and after):
        before = after = before or after
    if not (before and after):
        return face
    (begin, a), (end, b) = before, after
    share = -begin / (end - begin) if end > begin else 0.0
    likeness = Likeness(*(x + share * (y - x) for x, y in zip(a, b, strict=True)))
    return replace(
        face,
        w=face.w + (1 - face.w) * likeness.raised,
        strength=face.strength * likeness.kept,
        likeness=likeness,
    )


def _share(excess: float) -> float:
    """How far ``w`` is raised to the largest, in [0, 1]."""
    return smoothstep((excess - TOLERANCE) / (_LOST - TOLERANCE))
