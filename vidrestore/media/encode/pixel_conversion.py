"""Converts frames to the pixel format of the encoder, if that is another one."""

from __future__ import annotations

import av
from av.video.reformatter import Interpolation, VideoReformatter

from ..frames.colour import SWSCALE_MATRICES, Colour
from ..frames.pixel_format import planar_equivalent, planar_format
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
        return self._reformatter.reformat(
            video,
            format=self._name,
            src_color_range=source,
            dst_color_range=_FULL if target.is_rgb else _LIMITED if given.is_rgb else source,
            src_colorspace=SWSCALE_MATRICES.get(matrix),
            dst_colorspace=SWSCALE_MATRICES.get(matrix),
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
        )
