"""Converts frames to the pixel format of the encoder, if that is another one."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from ..frames.colour import SWSCALE_MATRICES, Colour
from ..frames.pixel_format import planar_equivalent, planar_format, plane_views
from .settings import EncoderConfig

_LIMITED, _FULL = 1, 2  # AVColorRange


class PixelConverter:
    """Converts frames to the encoder's pixel format. Changes of bit depth, packing and chroma subsampling
    keep the range; between RGB and YUV the tagged matrix is used."""

    def __init__(self, config: EncoderConfig) -> None:
        self._name = config.pix_fmt
        self._matrix = config.tags.get("colorspace", 0)
        self._reformatter = VideoReformatter()

    def __call__(self, video: av.VideoFrame, colour: Colour) -> av.VideoFrame:
        """The converted frame; ``video`` itself if it has the format already."""
        if video.format.name == self._name:
            return video
        given, target = planar_format(video.format.name), planar_equivalent(self._name)
        source = _FULL if given.is_rgb or colour.full_range else _LIMITED
        matrix = self._matrix if given.is_rgb else colour.matrix
        if given.colour_planes == 1 and not target.is_rgb:
            return self._grey(video, given.bits, target.bits)
        return self._reformatter.reformat(
            video,
            format=self._name,
            src_color_range=source,
            dst_color_range=_FULL if target.is_rgb else _LIMITED if given.is_rgb else source,
            src_colorspace=SWSCALE_MATRICES.get(matrix),
            dst_colorspace=SWSCALE_MATRICES.get(matrix),
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
        )

    def _grey(self, video: av.VideoFrame, bits: int, wanted: int) -> av.VideoFrame:
        """A grey frame in the encoder's format. FFmpeg's scaler takes every grey frame for one of full range,
        whatever its tag says: so luma is set here, which keeps its range."""
        converted = self._reformatter.reformat(
            video, format=self._name, src_color_range=_FULL, dst_color_range=_FULL
        )
        converted.color_range = video.color_range
        if planar_equivalent(self._name).name == self._name:
            luma = plane_views(video)[0]
            target = plane_views(converted)[0]
            if wanted >= bits:
                target[...] = luma.astype(target.dtype) << (wanted - bits)
            else:
                drop = bits - wanted
                rounded = (luma.astype(np.uint32) + (1 << (drop - 1))) >> drop
                target[...] = rounded.clip(0, (1 << wanted) - 1)
        return converted
