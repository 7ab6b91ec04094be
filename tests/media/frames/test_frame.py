"""A frame knows its time and which way up it is displayed, and is copied before it is edited."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.clips import pattern
from tests.support.frames import clip
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.colour import Colour
from vidrestore.media.frames.frame import Frame
from vidrestore.media.photo.picture import picture_of


def rotated(degrees: int, folder: Path) -> Frame:
    """The first frame of a clip of 64x48 pixels that is displayed turned by ``degrees``."""
    path = clip(folder / f"{degrees}.mp4", rotation=degrees)
    with Decoder(path) as decoder:
        return decoder.first


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_the_corner_of_the_stored_image_is_where_it_is_displayed(tmp_path, degrees, turns):
    frame = rotated(degrees, tmp_path)
    assert frame.turns == turns
    width, height = frame.upright_size
    assert (width, height) == ((48, 64) if turns % 2 else (64, 48))
    corner = frame.upright @ (0, 0, 1)
    expected = {0: (0, 0), 1: (0, height), 2: (width, height), 3: (width, 0)}[turns]
    assert tuple(corner[:2]) == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_flips_are_told_from_rotations_as_of_photos(tmp_path, orientation):
    """All eight orientations of EXIF, as display matrices (a, b, u, c, d, v, x, y, w)."""
    a, b, c, d = {
        1: (1, 0, 0, 1),
        2: (-1, 0, 0, 1),
        3: (-1, 0, 0, -1),
        4: (1, 0, 0, -1),
        5: (0, 1, 1, 0),
        6: (0, 1, -1, 0),
        7: (0, -1, -1, 0),
        8: (0, -1, 1, 0),
    }[orientation]
    matrix = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_matrix(matrix)
        for packet in [*stream.encode(pattern(0, 64, 48, "yuv420p")), *stream.encode(None)]:
            container.mux(packet)
    picture = picture_of(np.zeros((48, 64, 3), np.uint8), orientation)
    with Decoder(path) as decoder:
        frame = decoder.first
        assert (frame.turns, frame.is_mirrored) == (picture.turns, picture.is_mirrored)
        assert frame.upright_size == picture.upright_size == decoder.source.upright_size


def test_time_is_exact():
    video = pattern(0, 64, 48, "yuv420p")
    video.pts, video.time_base = 1001, Fraction(1, 30000)
    assert Frame(0, video, Colour()).time == Fraction(1001, 30000)


def test_editing_leaves_the_frames_of_the_decoder_alone(tmp_path):
    """The decoder predicts later frames from earlier ones."""
    path = clip(tmp_path / "in.mp4", count=20)
    with Decoder(path) as decoder:
        expected = [[plane.copy() for plane in frame.image().planes] for frame in decoder]
    with Decoder(path) as decoder:
        for frame, planes in zip(decoder, expected, strict=True):
            for plane, untouched in zip(frame.image(editable=True).planes, planes, strict=True):
                np.testing.assert_array_equal(plane, untouched)
                plane[...] = 0
            assert all((plane == 0).all() for plane in frame.image(editable=True).planes)
