"""A frame knows its time and which way up it is displayed, and is copied before it is edited."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import pattern
from tests.support.frames import clip
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.colour import Colour
from vidrestore.media.frames.frame import Frame


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
