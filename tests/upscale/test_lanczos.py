"""Enlarged frames: where their samples lie, and what is kept of a frame."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from vidrestore.media.frames.colour import Colour
from vidrestore.media.frames.frame import Frame
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.upscale.lanczos import Lanczos, enlarged_plane, phases

FACTORS = (2, 3, 4)


@pytest.mark.parametrize("factor", FACTORS)
def test_planes_are_enlarged_as_pillow_does(factor):
    plane = np.random.default_rng(0).integers(90, 166, (19, 23), np.uint8)
    size = (23 * factor, 19 * factor)
    expected = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.LANCZOS)).astype(int)
    inside = (slice(4 * factor, -4 * factor),) * 2  # beyond the edges Pillow has no samples
    ours = enlarged_plane(plane, factor, bits=8).astype(int)
    assert np.abs(ours - expected)[inside].max() <= 1


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("bits", [8, 10, 16])
def test_what_is_flat_stays_flat_and_nothing_leaves_the_range(factor, bits):
    top = (1 << bits) - 1
    dtype = np.uint8 if bits == 8 else np.uint16
    flat = np.full((6, 5), top // 3, dtype)
    assert (enlarged_plane(flat, factor, bits=bits) == top // 3).all()
    edges = np.zeros((12, 12), dtype)
    edges[:, 6:] = top
    assert enlarged_plane(edges, factor, bits=bits).max() == top


@pytest.mark.parametrize(("location", "left", "top"), [(1, 1, 0), (2, 0, 0), (3, 1, 1)])
@pytest.mark.parametrize("factor", FACTORS)
def test_chroma_stays_where_it_is_shown(location, left, top, factor):
    """A ramp over the frame, sampled where the samples of chroma lie, is the same ramp when enlarged."""
    width, height = 33, 21

    def places(count: int, offset: int, step: float) -> np.ndarray:
        return (2 * np.arange(count) + 1 - offset / 2) * step

    frame = Frame(0, av.VideoFrame(width, height, "yuv420p10le"), Colour(chroma_location=location))
    y, u, v = plane_views(frame.video)
    y[...] = 500
    u[...] = 8 * places(17, left, 1)
    v[...] = 8 * places(11, top, 1)[:, None]
    _, u, v = plane_views(Lanczos(factor)(frame).video)
    inner = slice(4 * factor, -4 * factor)
    across = 8 * places(u.shape[1], left, 1 / factor)
    down = 8 * places(v.shape[0], top, 1 / factor)[:, None]
    assert np.abs(u - across)[:, inner].max() < 1
    assert np.abs(v - down)[inner].max() < 1


def test_everything_else_of_a_frame_is_kept():
    video = av.VideoFrame(8, 6, "gbrap")
    for plane in plane_views(video):
        plane[...] = 7
    video.pts, video.time_base = 12, Fraction(1, 25)
    frame = Frame(3, video, Colour(), context=True, side_data=frozenset({"captions"}))
    enlarged = Lanczos(2)(frame)
    assert (enlarged.video.width, enlarged.video.height, enlarged.video.format.name) == (16, 12, "gbrap")
    assert (enlarged.video.pts, enlarged.video.time_base) == (12, Fraction(1, 25))
    assert (enlarged.index, enlarged.context, enlarged.side_data) == (3, True, frame.side_data)
    assert [plane.min() for plane in plane_views(enlarged.video)] == [7] * 4
    assert (frame.video.width, frame.index) == (8, 3)


def test_weights_sum_to_one():
    for kernel in phases(4, 0.1875):
        assert kernel.sum() == pytest.approx(1)
