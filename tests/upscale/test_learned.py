"""Frames enlarged by a network: what it makes is seen, what RGB cannot hold is kept, and no seam is left."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from tests.support import upscalers
from vidrestore.media.frames.colour import Colour, ColourTags
from vidrestore.media.frames.frame import Frame
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.upscale.lanczos import Lanczos
from vidrestore.upscale.learned import Learned
from vidrestore.upscale.resample import resample

FORMATS = ("yuv420p", "yuv422p10le", "yuv444p", "yuv411p", "gbrp", "gbrap16le", "gray", "gray12le")


@pytest.fixture(scope="module")
def network():
    return upscalers.enlarging(upscalers.sharpening())


def frame_of(pix_fmt: str, *, width: int = 37, height: int = 43, low: float = 0.2, high: float = 0.8, **tags):
    """A frame of soft shapes with samples from ``low`` to ``high`` of their range."""
    video = av.VideoFrame(width, height, pix_fmt)
    random = np.random.default_rng(0)
    bits = max(component.bits for component in video.format.components)
    for plane in plane_views(video):
        small = random.uniform(low, high, (1 + plane.shape[0] // 4, 1 + plane.shape[1] // 4))
        plane[...] = np.rint(
            np.kron(small, np.ones((4, 4)))[: plane.shape[0], : plane.shape[1]] * (2**bits - 1)
        )
    video.pts, video.time_base = 7, Fraction(1, 25)
    return Frame(2, video, Colour(**tags), side_data=frozenset({"captions"}))


def planes_of(frame: Frame) -> list[np.ndarray]:
    return [plane.astype(int) for plane in plane_views(frame.video)]


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_without_its_detail_a_frame_is_the_resamplers(network, pix_fmt, factor):
    """In every format and at every factor, to a step: in the shadows of 8 bits it is dithered."""
    frame = frame_of(pix_fmt)
    before = planes_of(frame)
    made = Learned(factor, "own", network, share=0.0, band=16)(frame)
    assert (made.video.width, made.video.height, made.video.format.name) == (
        37 * factor,
        43 * factor,
        pix_fmt,
    )
    assert (made.video.pts, made.index, made.side_data) == (7, 2, frozenset({"captions"}))
    for ours, expected in zip(planes_of(made), planes_of(Lanczos(factor)(frame)), strict=True):
        assert np.abs(ours - expected).max() <= 1
    assert all((a == b).all() for a, b in zip(before, planes_of(frame), strict=True))


@pytest.mark.parametrize("pix_fmt", ["gbrp", "gbrp16le"])
def test_a_frame_of_rgb_is_what_the_network_makes(network, pix_fmt):
    frame = frame_of(pix_fmt)
    picture = frame.image().read_rows(0, 43)
    expected = network.whole(picture)[[1, 2, 0]].numpy()
    made = np.stack(planes_of(Learned(2, "own", network)(frame)))
    top = made.max() if pix_fmt == "gbrp16le" else 255
    assert np.abs(made - expected * (65535 if top > 255 else 255)).max() <= (8 if top > 255 else 1)


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv422p"])
@pytest.mark.parametrize("location", [1, 2, 3])
def test_luma_and_chroma_are_what_the_network_makes(network, pix_fmt, location):
    """Of colours that change little from sample to sample: chroma is resampled on its way to RGB."""
    frame = frame_of(pix_fmt, width=48, height=40, low=0.4, high=0.6, chroma_location=location)
    for plane in plane_views(frame.video)[1:]:
        y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
        plane[...] = (0.5 + 0.1 * np.sin(x / 3) * np.cos(y / 4)) * (plane.max() / 0.6)
    bits = frame.image().format.bits
    made = Learned(2, "own", network)(frame)
    rgb = network.whole(frame.image().read_rows(0, 40))
    expected = frame.colour.rgb_to_samples(rgb, frame.image().format)[0].numpy()
    step = 1 << (bits - 8)
    assert np.abs(planes_of(made)[0] - expected).max() <= 1.5 * step
    # What the network adds to the colours of RGB is added to the planes of chroma.
    base = resample(frame.image().read_rows(0, 40), 2)
    before, after = (x.image().read_rows(0, 80) for x in (Lanczos(2)(frame), made))
    rgb, base, after, before = (
        frame.colour.rgb_to_yuv(x, bits)[1:, 8:-8, 8:-8] for x in (rgb, base, after, before)
    )
    # Finer than that is the pattern in which the network was given colours between samples of chroma.
    wanted, added = (torch.nn.functional.avg_pool2d(x, 4) for x in (rgb - base, after - before))
    assert wanted.square().mean().sqrt() > 0.25 * step
    assert (added - wanted).square().mean() < 0.25 * wanted.square().mean()


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_network_of_another_factor_is_resampled_the_rest_of_the_way(factor, scale):
    """A soft picture comes out as the resampler makes it, in its place."""
    frame = frame_of("gray", width=40, height=40)
    (plane,) = plane_views(frame.video)
    y, x = np.mgrid[:40, :40]
    plane[...] = 128 + 60 * np.sin(x / 6) * np.cos(y / 7)
    network = upscalers.enlarging(upscalers.sharpening(scale, strength=0.0))
    made, expected = (planes_of(u(frame))[0] for u in (Learned(factor, "own", network), Lanczos(factor)))
    inside = (slice(4 * factor, -4 * factor),) * 2
    difference = (made - expected)[inside]
    assert np.abs(difference).max() <= 8  # what it makes is blocky
    assert abs(difference.mean()) < 0.3


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "gbrp"])
@pytest.mark.parametrize(("factor", "scale"), [(2, 2), (3, 2), (2, 4)])
def test_bands_and_tiles_leave_no_seams(pix_fmt, factor, scale):
    network = upscalers.enlarging(upscalers.span(scale))
    frame = frame_of(pix_fmt)
    whole, banded = (Learned(factor, "own", network, band=band)(frame) for band in (256, 8))
    for a, b in zip(planes_of(whole), planes_of(banded), strict=True):
        assert np.abs(a - b).max() <= 1  # where a value lies between two steps
        assert (a != b).mean() < 0.01


def test_what_is_beyond_black_and_white_is_resampled(network):
    """Headroom of limited range: RGB from black to white cannot hold it."""
    frame = frame_of("yuv420p10le", low=0.96, high=1.0)
    for plane in plane_views(frame.video)[1:]:
        plane[...] = 512
    made, expected = (planes_of(u(frame))[0] for u in (Learned(2, "own", network), Lanczos(2)))
    assert expected.mean() > 980
    assert np.abs(made - expected).max() <= 1


def test_hdr_is_kept_beyond_what_sdr_shows(network):
    """PQ, whose bright half a network of SDR does not see; what it sees, it changes."""
    tags = ColourTags(primaries=9, transfer=16, matrix=9, range=1)
    made, expected = [], []
    for low, high in ((0.85, 0.93), (0.2, 0.4)):
        frame = frame_of("yuv420p10le", low=low, high=high)
        for plane in plane_views(frame.video)[1:]:
            plane[...] = 512
        frame.colour = Colour.from_tags(tags, 37, 43)
        assert frame.colour.transfer
        made.append(planes_of(Learned(2, "own", network)(frame))[0])
        expected.append(planes_of(Lanczos(2)(frame))[0])
    bright, dark = (np.abs(a - b) for a, b in zip(made, expected, strict=True))
    assert bright.max() <= 2
    assert dark.mean() > 4
    assert abs((made[1] - expected[1]).mean()) < 2


def test_faces_are_enlarged_as_far_as_asked(network):
    face = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.4 + 0.3
    assert Learned(2, "own", network).enlarge_face(face) is None
    assert Lanczos(2).enlarge_face(face) is None
    made = Learned(4, "own", network, faces=True).enlarge_face(face.half())
    assert made.shape == (3, 64, 64)
    assert torch.allclose(made, network.whole(face.half().float()), atol=1e-6)
    half = Learned(4, "own", network, share=0.5, faces=True).enlarge_face(face)
    none = Learned(4, "own", network, share=0.0, faces=True).enlarge_face(face)
    assert torch.allclose(half, (none + made) / 2, atol=1e-3)
