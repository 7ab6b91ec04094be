"""Converts frames to the pixel format of the encoder, if that is another one."""

from __future__ import annotations

from functools import partial

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from ..frames.colour import SWSCALE_MATRICES, Colour
from ..frames.pixel_format import planar_equivalent, planar_format, plane_views
from .settings import EncoderConfig

_LIMITED, _FULL = 1, 2  # AVColorRange


class PixelConverter:
    """Converts frames to the encoder's pixel format. Changes of bit depth, packing and chroma subsampling
    keep the range, unless the stream is always read as limited range; between RGB and YUV the tagged matrix
    is used."""

    def __init__(self, config: EncoderConfig) -> None:
        self._name = config.pix_fmt
        self._limited = config.limited
        self._matrix = config.tags.get("colorspace", 0)
        self._reformatter = VideoReformatter()

    def __call__(self, video: av.VideoFrame, colour: Colour) -> av.VideoFrame:
        """The converted frame; ``video`` itself if it has the format and range already."""
        given, target = planar_format(video.format.name), planar_equivalent(self._name)
        source = _FULL if given.is_rgb or colour.full_range else _LIMITED
        kept = _FULL if target.is_rgb else _LIMITED if given.is_rgb or self._limited else source
        if video.format.name == self._name and kept == source:
            return video
        matrix = self._matrix if given.is_rgb else colour.matrix
        if given.colour_planes == 1 and not target.is_rgb:
            return self._grey(video, given.bits, target.bits, to_limited=kept != source)
        convert = partial(
            self._reformatter.reformat,
            video,
            src_color_range=source,
            dst_color_range=kept,
            src_colorspace=SWSCALE_MATRICES.get(matrix),
            dst_colorspace=SWSCALE_MATRICES.get(matrix),
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
        )
        converted = convert(format=self._name)
        if given.subsampling[0] < target.subsampling[0] and target.name == self._name:
            # Where no location of chroma is tagged, FFmpeg's scaler makes samples midway between two of luma,
            # and readers look for them on the left one (H.273, figure 1).
            depth = "" if target.bits == 8 else f"{target.bits}le"
            whole = convert(format=f"yuv{'a' * target.has_alpha}444p{depth}")
            for plane, samples in zip(plane_views(converted)[1:3], plane_views(whole)[1:3], strict=True):
                plane[...] = _subsampled(samples, target.subsampling)[: plane.shape[0], : plane.shape[1]]
        return converted

    def _grey(self, video: av.VideoFrame, bits: int, wanted: int, *, to_limited: bool) -> av.VideoFrame:
        """A grey frame in the encoder's format. FFmpeg's scaler takes every grey frame for one of full range,
        whatever its tag says: so luma is set here. It keeps its range, or is converted to limited range."""
        converted = self._reformatter.reformat(
            video, format=self._name, src_color_range=_FULL, dst_color_range=_LIMITED if to_limited else _FULL
        )
        converted.color_range = _LIMITED if to_limited else video.color_range
        if planar_equivalent(self._name).name == self._name:
            luma = plane_views(video)[0]
            target = plane_views(converted)[0]
            if to_limited:
                step, white = 1 << (wanted - 8), (1 << bits) - 1
                target[...] = luma.astype(np.float32) * (219 * step / white) + (16 * step + 0.5)
            elif wanted >= bits:
                target[...] = luma.astype(target.dtype) << (wanted - bits)
            else:
                drop = bits - wanted
                rounded = (luma.astype(np.uint32) + (1 << (drop - 1))) >> drop
                target[...] = rounded.clip(0, (1 << wanted) - 1)
        return converted


def _subsampled(samples: np.ndarray, subsampling: tuple[int, int]) -> np.ndarray:
    """Chroma (H, W) reduced by powers of two across and down: on the left sample across, midway down."""
    reduced = samples.astype(np.float32)
    for _ in range(subsampling[0]):
        padded = np.pad(reduced, ((0, 0), (1, 2)), mode="edge")
        reduced = (padded[:, :-2:2] + 2 * padded[:, 1:-1:2] + padded[:, 2::2]) / 4
    for _ in range(subsampling[1]):
        padded = np.pad(reduced, ((0, 1), (0, 0)), mode="edge")
        reduced = (padded[:-1:2] + padded[1::2]) / 2
    return (reduced + 0.5).astype(samples.dtype)
