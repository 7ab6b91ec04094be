"""The same faces, aligned, from several clips of the same scene, frame by frame."""

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
    """One face of one frame, aligned, as it appears in each clip."""

    frame: int  #: counted from 0
    track: int  #: id of its track in the reference
    clean: Tensor  #: (3, S, S) RGB uint8, from the reference
    images: Tensor  #: (M, 3, S, S) RGB uint8, from the M clips in order


def clip_faces(
    reference: Path,
    clips: Sequence[Path],
    detector: Detector,
    *,
    size: int = TEMPLATE_SIZE,
    span: Span | None = None,
) -> Iterator[ClipFace]:
    """Yield every face of ``reference``, cropped from it and from ``clips`` at the same place.

    Faces are detected and tracked in the reference only, so that detection does not affect the comparison.
    Frames are matched by index, not by timestamp.

    Args:
        reference: The clean clip.
        clips: M clips of the same frames.
        detector: Detects faces in the reference.
        size: Side of the aligned faces in pixels.
        span: The part of all clips to read; all of it by default.

    Raises:
        InputError: A clip differs from the reference in size or length.
    """
    with ExitStack() as stack:
        decoders = [stack.enter_context(Decoder(path, span)) for path in (reference, *clips)]
        first = decoders[0].first
        detector_input = DetectorInput(first.upright_size, _reference_thumbnails, first.upright_aspect)
        items = detector_input.pairs(_matched_frames(decoders))
        source = LiveSource(detector, rate=decoders[0].source.rate)
        for frames, faces in source.stream(items, detector_input.scale):
            for face in faces:
                clean, *images = (_crop(frame, face, size) for frame in frames)
                yield ClipFace(frames[0].index, face.track, clean, torch.stack(images))


def _reference_thumbnails(width: int, height: int) -> Callable[[tuple[Frame, ...]], np.ndarray]:
    """Make thumbnails of the reference's frame, the first of each tuple."""
    thumbnail = Thumbnails(width, height)
    return lambda frames: thumbnail(frames[0])


def _crop(frame: Frame, face: Face, size: int) -> Tensor:
    crop = align(frame.image(), face, frame.upright, size, aspect=frame.upright_aspect).image
    assert crop is not None  # it is dropped only after restoration
    return (crop * 255).round().to(torch.uint8)


def _matched_frames(decoders: Sequence[Decoder]) -> Iterator[tuple[Frame, ...]]:
    """Yield one frame of each clip at a time. Raises InputError if sizes or lengths differ."""
    reference = decoders[0]
    for number, frames in enumerate(zip_longest(*decoders)):
        for decoder, frame in zip(decoders, frames, strict=True):
            if frame is None:
                longest = next(d for d, f in zip(decoders, frames, strict=True) if f is not None)
                raise InputError(
                    f"{decoder.path} ends after {number} frames but {longest.path} is longer; compare clips "
                    "with the same frames"
                )
            if frame.upright_size != frames[0].upright_size:
                raise InputError(
                    f"{decoder.path} has frames of {_size(frame)} but {reference.path} of "
                    f"{_size(frames[0])}; compare clips of the same size"
                )
        yield frames


def _size(frame: Frame) -> str:
    return "{} x {}".format(*frame.upright_size)
