"""Frames as an encoder takes them: where its pixel format is another, and only then, they are converted."""

from __future__ import annotations

import av
from av.video.reformatter import Interpolation, VideoReformatter

from ..frames.colour import Colour
from ..frames.pixel_format import planar_equivalent, planar_format
from .choose import Encoder

_LIMITED, _FULL = 1, 2  # AVColorRange
#: swscale's numbers for matrices by FFmpeg's; BT.601's is one for both of its.
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}


class Converter:
    """Makes frames of an encoder's pixel format. Depth, packing and subsampling change without a change of
    range; between RGB and YUV the matrix is the one that is tagged."""

    def __init__(self, encoder: Encoder) -> None:
        self._name = encoder.pix_fmt
        self._matrix = encoder.tags.get("colorspace", 0)
        self._reformatter = VideoReformatter()

    def __call__(self, video: av.VideoFrame, colour: Colour) -> av.VideoFrame:
        """``video`` itself where nothing is to be done."""
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
            src_colorspace=_MATRICES.get(matrix),
            dst_colorspace=_MATRICES.get(matrix),
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
        )
