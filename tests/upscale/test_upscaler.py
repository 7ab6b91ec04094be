"""The interface, and what keeps it."""

from __future__ import annotations

import av
import pytest

from tests.support import upscalers
from vidrestore.media.frames.colour import Colour, ColourTags
from vidrestore.media.frames.frame import Frame
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.upscale.lanczos import Lanczos
from vidrestore.upscale.learned import Learned
from vidrestore.upscale.upscaler import Upscaler


@pytest.mark.parametrize(
    "make", [lambda: Lanczos(3), lambda: Learned(3, "own", upscalers.enlarging(upscalers.compact()))]
)
def test_upscalers_have_a_factor_and_a_name(make):
    upscaler: Upscaler = make()
    assert upscaler.factor == 3
    assert upscaler.name
    assert callable(upscaler)
    assert callable(upscaler.enlarge_face)


@pytest.mark.parametrize("matrix", [8, 10, 12, 14])  # YCgCo, BT.2020 CL, chroma-derived, ICtCp
@pytest.mark.parametrize(
    "make", [lambda: Lanczos(2), lambda: Learned(2, "own", upscalers.enlarging(upscalers.compact()))]
)
def test_frames_with_a_matrix_that_has_no_conversion_are_enlarged(make, matrix):
    video = av.VideoFrame(64, 48, "yuv420p")
    for plane in plane_views(video):
        plane[...] = 100
    video.colorspace = matrix
    colour = Colour.from_tags(ColourTags(matrix=matrix), 64, 48)
    enlarged = make()(Frame(0, video, colour)).video
    assert (enlarged.width, enlarged.height, enlarged.colorspace) == (128, 96, matrix)
