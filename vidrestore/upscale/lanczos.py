"""Lanczos resampling by a whole number (Duchon, 1979), of each plane where its samples lie.

It works on the samples as they are, which a transfer function has compressed, and not on linear light: there
the negative lobes of the kernel darken the surroundings of bright edges far more than they can be seen to
brighten those of dark ones. docs/photos.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation
from torch import Tensor

from ..media.frames.frame import Frame
from ..media.frames.pixel_format import plane_views

#: Samples to each side of a place that its value depends on.
_LOBES = 3


@dataclass(frozen=True)
class Lanczos:
    """Enlarges frames with a Lanczos kernel of three lobes."""

    factor: int  #: 2, 3 or 4
    name: str = "Lanczos"

    def __call__(self, frame: Frame) -> Frame:
        """See ``Upscaler.__call__``."""
        image = frame.image()
        enlarged = enlarged_canvas(frame, self.factor)
        targets = iter(plane_views(enlarged))
        for planes, to_plane in image.plane_groups():
            # A sample of chroma may lie beside the centre of the pixels that it belongs to, by so much of its
            # own width; in the enlarged plane it lies so much beside the centre of others.
            shift = to_plane[:2, 2] * (1 - 1 / self.factor)
            for plane in planes:
                enlarge_plane(plane, next(targets), self.factor, (shift[0], shift[1]), image.format.bits)
        if image.format.has_alpha:
            enlarge_plane(image.planes[-1], next(targets), self.factor, (0.0, 0.0), image.format.bits)
        return frame.like(enlarged)

    def enlarge_face(self, face: Tensor) -> None:
        """None: see ``Upscaler.enlarge_face``."""


def enlarged_canvas(frame: Frame, factor: int) -> av.VideoFrame:
    """A frame of ``factor`` times the size, with the times, tags and side data of ``frame``, all samples of
    which are to be replaced."""
    video, matrix = frame.video, frame.colour.swscale_matrix
    # FFmpeg's scaler copies all that; it refuses some matrices that a frame may be tagged with.
    canvas = video.reformat(
        video.width * factor,
        video.height * factor,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        interpolation=Interpolation.POINT,
    )
    canvas.colorspace = video.colorspace
    return canvas


def enlarged_plane(plane: np.ndarray, factor: int, *, bits: int) -> np.ndarray:
    """``plane`` (H, W) of samples of ``bits``, uint8 or uint16, enlarged to (factor H, factor W)."""
    height, width = plane.shape
    target = np.empty((height * factor, width * factor), plane.dtype)
    enlarge_plane(plane, target, factor, bits=bits)
    return target


def enlarge_plane(
    plane: np.ndarray,
    target: np.ndarray,
    factor: int,
    shift: tuple[float, float] = (0.0, 0.0),
    bits: int = 8,
) -> None:
    """Fill ``target`` with ``plane`` (H, W), enlarged by ``factor``; both are uint8 or uint16 with samples of
    ``bits``.

    ``target`` may be up to ``factor - 1`` rows and columns smaller than (factor H, factor W). ``shift``, (x,
    y) in samples of ``plane``, moves what is shown to the left and up. Beyond the edges the border is
    replicated.
    """
    source = plane.astype(np.float32)
    across, down = (phases(factor, amount) for amount in shift)
    for y, vertical in enumerate(down):
        for x, horizontal in enumerate(across):
            part = target[y::factor, x::factor]
            values = cv2.sepFilter2D(
                source, cv2.CV_32F, horizontal, vertical, borderType=cv2.BORDER_REPLICATE
            )
            np.rint(values, out=values)
            part[...] = np.clip(values, 0, (1 << bits) - 1, out=values)[: part.shape[0], : part.shape[1]]


def phases(factor: int, shift: float) -> list[np.ndarray]:
    """The weights of the samples from ``-_LOBES - 1`` to ``_LOBES + 1`` around a sample, for each of the
    ``factor`` values that replace it; their sums are 1."""
    offsets = np.arange(-_LOBES - 1, _LOBES + 2)
    kernels = []
    for number in range(factor):
        distance = offsets - ((number + 0.5) / factor - 0.5 + shift)
        kernel = np.sinc(distance) * np.sinc(distance / _LOBES) * (np.abs(distance) < _LOBES)
        kernels.append((kernel / kernel.sum()).astype(np.float32))
    return kernels
