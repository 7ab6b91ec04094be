"""Enlarging: what becomes of the facts about a video, and of faces on their way back into a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ..errors import UsageError
from ..faces.alignment.align import Placement
from ..media.frames.crop import Blended
from ..media.frames.frame import Frame
from ..media.source_video import SourceVideo
from ..options import Options
from ..restoration.planes import enlarge as enlarge_layers
from ..restoration.temporal.blend import channels_last
from ..restoration.temporal.face_crop import RestoredFace
from ..runtime.ramps import smoothstep
from ..upscale.choose import UpscalerSetup, resolve_upscaler
from ..upscale.upscaler import Upscaler

#: Pixels of the restorer's face per pixel of the enlarged frame up to which the upscaler's face is shown.
#: From there to 1 it fades into interpolation: a face that comes nearer does not turn sharp at once.
_SHARP = 0.8


def upscaler_of(options: Options, *, steady: bool = True, download: bool = True) -> UpscalerSetup | None:
    """The upscaler of a run with ``options``; None: frames keep their size. ``steady``: for a video. Raises
    as :func:`resolve_upscaler`."""
    return resolve_upscaler(
        options.background,
        factor=options.upscale,
        denoise=options.denoise,
        faces=options.face_upsample,
        steady=steady,
        offline=options.offline,
        commercial=options.commercial,
        download=download,
    )


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
    matrix = source.display_matrix
    if matrix:  # its translation is in pixels (ISO/IEC 14496-12, section 8.3.2)
        matrix = (*matrix[:6], matrix[6] * factor, matrix[7] * factor, matrix[8])
    return replace(
        source,
        width=source.width * factor,
        height=source.height * factor,
        upright_size=(width * factor, height * factor),
        display_matrix=matrix,
        presentation=replace(
            source.presentation,
            cropping=(top * factor, bottom * factor, left * factor, right * factor),
        ),
    )


def enlarge(
    frame: Frame, faces: Sequence[RestoredFace[Placement]], upscaler: Upscaler | None
) -> tuple[Frame, list[RestoredFace[Placement]]]:
    """A frame enlarged, and its restored faces where they belong in that; without an upscaler as they are."""
    larger = enlarged_faces(faces, upscaler)
    return frame if upscaler is None else enlarged_frame(frame, upscaler), larger


def enlarged_frame(frame: Frame, upscaler: Upscaler) -> Frame:
    """``frame`` enlarged, and its hole with it."""
    enlarged = upscaler(frame)
    if frame.hole is not None:
        enlarged.hole = frame.hole.enlarged(upscaler.factor)
    return enlarged


def enlarged_faces(
    faces: Sequence[RestoredFace[Placement]], upscaler: Upscaler | None
) -> list[RestoredFace[Placement]]:
    """Restored ``faces`` of a frame where they belong in the enlarged one.

    A face that is larger in the frame than the restorer made it is enlarged too, if the upscaler does so.
    """
    if upscaler is None:
        return list(faces)
    to_input = np.diag([1 / upscaler.factor, 1 / upscaler.factor, 1.0])
    moved = [
        replace(face, source=replace(face.source, matrix=face.source.matrix @ to_input)) for face in faces
    ]
    return [_enlarged(face, upscaler) if face.source.scale < 1 else face for face in moved]


def _enlarged(face: RestoredFace[Placement], upscaler: Upscaler) -> RestoredFace[Placement]:
    """A restored face made larger by the upscaler, as sharp as what it makes of the frame around; the same if
    the upscaler enlarges no faces."""
    made = upscaler.enlarge_face(face.restored)
    if made is None:
        return face
    size, placement = made.shape[-1], face.source
    share = smoothstep((1 - placement.scale) / (1 - _SHARP))
    if share < 1:
        plain = enlarge_layers(face.restored.float()[None], (size, size))[0]
        made = torch.lerp(plain, made.float(), share)
    factor = size / face.layers.shape[-1]
    mask = enlarge_layers(face.mask.float()[None, None], (size, size))[0]
    matrix = np.diag((factor, factor, 1.0)) @ placement.matrix
    return replace(
        face,
        source=replace(placement, matrix=matrix, landmarks=placement.landmarks * factor),
        layers=channels_last(torch.cat((made, mask)).to(face.layers.dtype)),
        window=None,
    )


def in_input(written: Blended | None, factor: int) -> Blended | None:
    """What was written to an enlarged frame, with its bounds in pixels of the input."""
    if written is None or factor == 1:
        return written
    y0, y1, x0, x1 = written.bounds
    return replace(written, bounds=(y0 // factor, -(-y1 // factor), x0 // factor, -(-x1 // factor)))
