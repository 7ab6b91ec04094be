"""One picture's faces, restored again and again with other settings, as a person moves a slider.

A face is cut out and encoded once; a new ``w`` costs one pass of the decoder. It is restored by itself: a run
also looks at the frames around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from ..errors import InputError
from ..faces.alignment.align import Placement
from ..faces.face import Face
from ..media.decode.decoder import Decoder
from ..media.frames.frame import Frame
from ..media.photo.formats import photo_format
from ..media.photo.reader import read_photo
from ..media.timeline import Span
from ..options import Options
from ..restoration.temporal.cover_tracking import steady_cover
from ..restoration.temporal.face_crop import ObservedFace
from ..restoration.temporal.stabilise import skip_comparison
from ..restoration.temporal.w_chooser import Chooser
from ..review.excerpts import copy_of
from ..stages.enlarging import enlarge
from ..stages.models import Models
from ..stages.picture import PictureFace, decisions, is_wanted
from ..upscale.lanczos import Lanczos


class Still:
    """A frame or a photo, and its faces."""

    def __init__(self, frame: Frame, faces: Sequence[Face], models: Models) -> None:
        """``faces`` are those to be restored, in upright pixels of ``frame``."""
        self.frame = frame
        self._models = models
        self._crops = [steady_cover(crop, ()) for crop in models.align(frame, faces)]
        self._observed: dict[int, ObservedFace[Placement]] = {}
        self._larger = _Larger(frame, 1)

    def restored(self, chooser: Chooser, factor: int = 1) -> tuple[Frame, list[PictureFace]]:
        """A copy of the frame, enlarged by ``factor``, with its faces restored, and what was decided for
        each."""
        planned = [chooser(crop, ()) for crop in self._crops]
        observed = []
        for face in planned:
            if not is_wanted(face, self._models):
                continue
            if face.track not in self._observed:
                [self._observed[face.track]] = self._models.observe([skip_comparison(face)])
            observed.append(replace(self._observed[face.track], w=face.w, strength=face.strength))
        restored = self._models.restore(observed, keep_colours=True) if observed else []
        if factor != self._larger.factor:
            self._larger = _Larger(self.frame, factor)
        held = [self._models.task.hold(face, ()) for face in restored]
        copy, held = enlarge(self.frame, held, self._larger)
        self._models.paste(copy, held)
        return copy, decisions(planned, self._models, chooser)


class _Larger:
    """An upscaler of one frame, which it enlarges once."""

    def __init__(self, frame: Frame, factor: int) -> None:
        """``factor`` may be 1: a copy."""
        self.factor = factor
        self.name = "Lanczos"
        self._frame = frame if factor == 1 else Lanczos(factor)(frame)

    def __call__(self, frame: Frame) -> Frame:
        """A copy of the enlarged frame; ``frame`` is the one that it was made from."""
        return frame.like(copy_of(self._frame.video))

    def enlarge_face(self, face: Tensor) -> None:
        """None: faces are pasted as the restorer made them."""


def frame_at(options: Options, seconds: float) -> Frame:
    """The frame of the video of ``options`` that is shown at a time, in seconds from its beginning. Raises
    VidrestoreError."""
    begin = max(0.0, seconds - 0.002)
    with (
        suppress(InputError),
        Decoder(
            options.input,
            Span(Fraction(begin), Fraction(begin + 2)),
            video_stream=options.video_stream,
            deinterlace=options.deinterlace,
        ) as decoder,
    ):
        for frame in decoder:
            return frame
    raise InputError(f"there is no frame at {seconds:.2f} s that can be read")


def photo_frame(path: Path) -> Frame:
    """The picture of a photo. Raises InputError."""
    kind = photo_format(path)
    if kind is None:
        raise InputError("this is not a photo")
    return read_photo(path, kind).picture


def fitted(picture: np.ndarray, longest: int) -> np.ndarray:
    """``picture`` (H, W, 3) uint8, no side of it longer than ``longest`` pixels."""
    scale = longest / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
