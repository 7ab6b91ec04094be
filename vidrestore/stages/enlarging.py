"""Enlarging: what becomes of the facts about a video, and of faces on their way back into a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import UsageError
from ..faces.alignment.align import Placement
from ..media.frames.crop import Blended
from ..media.frames.frame import Frame
from ..media.source_video import SourceVideo
from ..restoration.temporal.face_crop import RestoredFace
from ..upscale.upscaler import Upscaler


def enlarged_source(source: SourceVideo, factor: int) -> SourceVideo:
    """The facts about the video that a run with ``--upscale factor`` writes. Raises UsageError for frames
    that hold two fields."""
    if factor == 1:
        return source
    if source.interlaced:
        raise UsageError(
            f"{source.path.name} is interlaced, and enlarging would mix its fields; leave out "
            "--deinterlace off, or --upscale"
        )
    width, height = source.upright_size
    top, bottom, left, right = source.presentation.cropping
    return replace(
        source,
        width=source.width * factor,
        height=source.height * factor,
        upright_size=(width * factor, height * factor),
        presentation=replace(
            source.presentation,
            cropping=(top * factor, bottom * factor, left * factor, right * factor),
        ),
    )


def enlarge(
    frame: Frame, faces: Sequence[RestoredFace[Placement]], upscaler: Upscaler | None
) -> tuple[Frame, list[RestoredFace[Placement]]]:
    """A frame enlarged, and its restored faces where they belong in that; without an upscaler as they are."""
    if upscaler is None:
        return frame, list(faces)
    to_input = np.diag([1 / upscaler.factor, 1 / upscaler.factor, 1.0])
    moved = [
        replace(face, source=replace(face.source, matrix=face.source.matrix @ to_input)) for face in faces
    ]
    return upscaler(frame), moved


def in_input(written: Blended | None, factor: int) -> Blended | None:
    """What was written to an enlarged frame, with its bounds in pixels of the input."""
    if written is None or factor == 1:
        return written
    y0, y1, x0, x1 = written.bounds
    return replace(written, bounds=(y0 // factor, -(-y1 // factor), x0 // factor, -(-x1 // factor)))
