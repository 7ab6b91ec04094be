"""Clips turned by an angle, and how well faces are restored in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..faces.alignment.align import TEMPLATE, TEMPLATE_SIZE, align, transform_points
from ..faces.alignment.mask import oval_masks
from ..faces.detection.detector import Detector
from ..faces.detection.working_size import DetectorInput
from ..faces.face import Face
from ..faces.tracking.live_source import LiveSource
from ..media.decode.decoder import Decoder
from ..media.frames.thumbnails import Thumbnails
from ..media.timeline import Span
from .tables import Column

#: What is around a turned frame.
_GREY = (48, 48, 48)

#: Columns of the figures of a turned clip.
TURNED_COLUMNS = (
    Column("frames", "frames", 0, higher_is_better=True),
    Column("restored", "restored", 0, higher_is_better=True),
    Column("input_psnr", "input", 2, higher_is_better=True),
    Column("psnr", "PSNR", 2, higher_is_better=True),
    Column("difference", "difference", 2, higher_is_better=True),
)


def turn_matrix(size: tuple[int, int], degrees: float) -> tuple[np.ndarray, int]:
    """The matrix (3, 3) from pixels of a frame of ``size`` (width, height), turned clockwise around its
    middle, to pixels of the square that holds it at every angle, and the even side of that square."""
    side = 2 * int(np.ceil(np.hypot(*size) / 2))
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = np.full(2, side / 2) - turn @ (np.array(size) / 2)
    return np.vstack([np.column_stack([turn, shift]), [0, 0, 1]]), side


def write_turned(source: Path, out: Path, degrees: float, *, span: Span | None = None) -> None:
    """Write the clip ``source`` turned clockwise on a grey square to ``out`` (.mkv), lossless (FFV1), 8-bit
    4:2:0, 25 frames per second. Raises InputError."""
    with Decoder(source, span) as decoder, av.open(str(out), "w") as container:
        upright, side = turn_matrix(decoder.first.upright_size, degrees)
        stream = container.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 25)
        # OpenCV puts the origin at the centre of the first pixel, not at its corner.
        corner = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        matrix = (np.linalg.inv(corner) @ upright @ decoder.first.upright @ corner)[:2]
        for number, frame in enumerate(decoder):
            rgb = frame.video.reformat(format="rgb24").to_ndarray()
            turned = cv2.warpAffine(rgb, matrix, (side, side), flags=cv2.INTER_CUBIC, borderValue=_GREY)
            video = av.VideoFrame.from_ndarray(turned.astype(np.uint8, copy=False), format="rgb24")
            video = video.reformat(format="yuv420p")
            video.pts, video.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(video))
        container.mux(stream.encode(None))


def upright_faces(clean: Path, detector: Detector) -> Mapping[int, Sequence[Face]]:
    """The faces of the clean, upright clip, by the number of their frame. Raises InputError if there are
    none."""
    with Decoder(clean) as decoder:
        size = decoder.first.upright_size
        detector_input = DetectorInput(size, Thumbnails)
        tracked = LiveSource(detector, rate=decoder.source.rate).stream(
            detector_input.pairs(decoder), detector_input.scale
        )
        found = {frame.index: faces for frame, faces in tracked if faces}
    if not found:
        raise InputError(f"no face was found in {clean}; give a clip that shows faces")
    return found


def measure_turned(
    clean: Path, degraded: Path, restored: Path, faces: Mapping[int, Sequence[Face]], matrix: np.ndarray
) -> dict[str, float]:
    """The figures of a turned clip.

    Args:
        clean, degraded, restored: Clips of the same frames, all turned; ``restored`` is lossless.
        faces: The faces of the upright clip, by the number of their frame.
        matrix: (3, 3), from pixels of the upright clip to those of the turned ones.

    Returns:
        - ``frames``: how many frames have a face.
        - ``restored``: in how many of these every face differs from ``degraded``.
        - ``input_psnr``, ``psnr``: the PSNR in dB of the faces of ``degraded`` and of ``restored`` against
          ``clean``, over all of them, under the mask of a face.

    Raises:
        InputError: A clip cannot be read.
    """
    mask = oval_masks(TEMPLATE[None], TEMPLATE_SIZE)[0]
    squared, changed = [], []
    with Decoder(clean) as truth, Decoder(degraded) as before, Decoder(restored) as after:
        for number, frames in enumerate(zip(truth, before, after, strict=True)):
            changes = []
            for face in faces.get(number, ()):
                points = transform_points(face.landmarks, matrix).astype(np.float32)
                turned = replace(face, landmarks=points)
                clean_crop, *crops = (
                    align(frame.image(), turned, frame.upright, TEMPLATE_SIZE).image for frame in frames
                )
                squared.append(torch.stack([_mean((crop - clean_crop) ** 2, mask) for crop in crops]))
                changes.append(not torch.equal(*crops))
            if changes:
                changed.append(all(changes))
    error = torch.stack(squared).mean(dim=0).clamp_min(1e-10)
    input_psnr, psnr = (-10 * torch.log10(error)).tolist()
    return {"frames": len(changed), "restored": sum(changed), "input_psnr": input_psnr, "psnr": psnr}


def _mean(x: Tensor, mask: Tensor) -> Tensor:
    """The mean of ``x`` (3, S, S) under ``mask`` (S, S)."""
    return (x.mean(dim=0) * mask).sum() / mask.sum()
