"""Restore the faces of one picture: the steps of a video's restoration that do not look across time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..faces.alignment.align import Placement
from ..faces.face import Face
from ..media.frames.frame import Frame
from ..restoration.temporal.cover_tracking import steady_cover
from ..restoration.temporal.face_crop import FaceCrop, PlannedFace
from ..restoration.temporal.stabilise import skip_comparison
from ..restoration.temporal.w_chooser import Chooser, is_visible
from ..upscale.upscaler import Upscaler
from .enlarging import enlarge
from .models import Models

Part = TypeVar("Part")

#: Faces that are cut out of the picture at a time.
_CHUNK = 16


@dataclass(frozen=True, slots=True)
class PictureFace:
    """What was decided for one face of a picture."""

    number: int  #: from the left, from 1
    box: tuple[int, int, int, int]  #: x0, y0, x1, y1 in pixels of the upright picture
    description: str  #: such as ``41 px, blurred``
    w: float
    strength: float  #: share of the restoration that it gets, in [0, 1]
    restored: bool

    def __str__(self) -> str:
        x0, y0, x1, y1 = self.box
        decision = f"w {self.w:.2f}" if self.restored else "left alone"
        eased = f", at {self.strength:.0%}" if self.restored and self.strength < 0.995 else ""
        place = f"at {(x0 + x1) // 2},{(y0 + y1) // 2}"
        return f"face {self.number} {place}: {self.description}: {decision}{eased}"


def plan_picture(
    frame: Frame, faces: Sequence[Face], models: Models, chooser: Chooser
) -> list[PlannedFace[Placement]]:
    """How much each of ``faces`` is to be restored."""
    crops: Iterator[FaceCrop[Placement]] = (
        steady_cover(crop, ()) for chunk in _chunks(faces, _CHUNK) for crop in models.align(frame, chunk)
    )
    return [chooser(crop, ()) for crop in crops]


def decisions(
    planned: Sequence[PlannedFace[Placement]], models: Models, chooser: Chooser
) -> list[PictureFace]:
    """What was decided, for people."""
    return [_decision(face, chooser.describe(face.quality), is_wanted(face, models)) for face in planned]


def is_wanted(face: PlannedFace[Placement], models: Models) -> bool:
    """Whether the run's task restores ``face`` at all."""
    return is_visible(face) and models.task.wants(face.cover)


def restore_picture(
    frame: Frame,
    faces: Sequence[Face],
    models: Models,
    chooser: Chooser,
    *,
    batch: int,
    upscaler: Upscaler | None = None,
) -> tuple[Frame, list[PictureFace]]:
    """Restore ``faces`` and paste them into ``frame``, or with ``upscaler`` into an enlarged copy of it.

    ``batch`` faces go through the network at a time. Returns the frame that was pasted into, and what was
    decided for each face.
    """
    planned = plan_picture(frame, faces, models, chooser)
    restored = []
    for chunk in _chunks([face for face in planned if is_wanted(face, models)], batch):
        observed = models.observe([skip_comparison(face) for face in chunk])
        restored += models.restore(observed, keep_colours=True)
    restored = [models.task.hold(face, ()) for face in restored]
    frame, restored = enlarge(frame, restored, upscaler)
    models.paste(frame, restored)
    return frame, decisions(planned, models, chooser)


def _decision(face: PlannedFace[Placement], description: str, restored: bool) -> PictureFace:
    x0, y0, x1, y1 = (round(value) for value in face.source.face.box.tolist())
    return PictureFace(
        number=face.track,
        box=(x0, y0, x1, y1),
        description=description,
        w=face.w,
        strength=face.strength,
        restored=restored,
    )


def _chunks(items: Sequence[Part], size: int) -> Iterator[Sequence[Part]]:
    return (items[start : start + size] for start in range(0, len(items), size))
