"""The same faces in several clips of the same scene, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..faces.alignment.align import TEMPLATE_SIZE, align
from ..faces.detection.detector import Detector
from ..faces.detection.working_size import DetectorInput
from ..faces.face import Face
from ..faces.tracking.live_source import LiveSource
from ..media.decode.decoder import Decoder
from ..media.frames.frame import Frame
from ..media.frames.thumbnails import Thumbnails
from ..media.timeline import Span


@dataclass(frozen=True)
class ClipFace:
    """One face of one frame, aligned, as every clip shows it. The faces of one ``track`` in the order of
    their frames are what steadiness can be seen in."""

    frame: int  #: counted from 0
    track: int
    clean: Tensor  #: (3, S, S) RGB uint8, from the reference
    pictures: Tensor  #: (M, 3, S, S), from the clips in their order


def clip_faces(
    reference: Path,
    clips: Sequence[Path],
    detector: Detector,
    *,
    size: int = TEMPLATE_SIZE,
    span: Span | None = None,
) -> Iterator[ClipFace]:
    """Every face of ``reference``, cut out of it and of ``clips`` at the same place. ``span`` is the part
    of them all that is looked at.

    Faces are found and followed in the reference alone, so that how well a face is found is not mixed with
    how well it looks. Frames go by their order, not their times. Raises InputError for clips of other sizes
    or lengths than the reference.
    """
    with ExitStack() as stack:
        decoders = [stack.enter_context(Decoder(path, span)) for path in (reference, *clips)]
        first = decoders[0].first
        pictures = DetectorInput(first.upright_size, _reference_thumbnails)
        items = pictures.pairs(_together(decoders))
        for frames, faces in LiveSource(detector).stream(items, pictures.scale):
            for face in faces:
                clean, *pictures = (_crop(frame, face, size) for frame in frames)
                yield ClipFace(frames[0].index, face.track, clean, torch.stack(pictures))


def _reference_thumbnails(width: int, height: int) -> Callable[[tuple[Frame, ...]], np.ndarray]:
    """Make thumbnails of the reference's frame, the first of each tuple."""
    thumbnail = Thumbnails(width, height)
    return lambda frames: thumbnail(frames[0])


def _crop(frame: Frame, face: Face, size: int) -> Tensor:
    crop = align(frame.image(), face, frame.upright, size).image
    return (crop * 255).round().to(torch.uint8)


def _together(decoders: Sequence[Decoder]) -> Iterator[tuple[Frame, ...]]:
    """One frame of each clip at a time. Raises InputError where one has another size or ends early."""
    reference = decoders[0]
    for number, frames in enumerate(zip_longest(*decoders)):
        for decoder, frame in zip(decoders, frames, strict=True):
            if frame is None:
                longest = next(d for d, f in zip(decoders, frames, strict=True) if f is not None)
                raise InputError(
                    f"{decoder.path} ends after {number} frames but {longest.path} goes on; compare clips of "
                    "the same frames"
                )
            if frame.upright_size != frames[0].upright_size:
                raise InputError(
                    f"{decoder.path} has frames of {_size(frame)} but {reference.path} of "
                    f"{_size(frames[0])}; compare clips of one size"
                )
        yield frames


def _size(frame: Frame) -> str:
    return "{} x {}".format(*frame.upright_size)
