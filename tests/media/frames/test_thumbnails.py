"""Thumbnails are upright, of the size that was asked for, and SDR."""

from __future__ import annotations

import av
import numpy as np

from tests.support.frames import clip
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.colour import Colour
from vidrestore.media.frames.frame import Frame
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.media.frames.thumbnails import Thumbnails
from vidrestore.media.frames.tone_mapping import Transfer


def frame_of(video: av.VideoFrame, colour: Colour | None = None) -> Frame:
    return Frame(0, video, colour or Colour())


def test_size_and_order_of_channels():
    video = av.VideoFrame(64, 48, "gbrp")
    for plane, value in zip(plane_views(video), (10, 20, 200), strict=True):
        plane[...] = value
    image = Thumbnails(32, 24)(frame_of(video))
    assert (image.shape, image.dtype) == ((24, 32, 3), np.uint8)
    assert image[0, 0].tolist() == [20, 10, 200]  # B, G, R


def test_a_rotated_frame_is_upright(tmp_path):
    with Decoder(clip(tmp_path / "in.mp4", rotation=90)) as decoder:
        upright = Thumbnails(24, 32)(decoder.first)
    with Decoder(clip(tmp_path / "plain.mp4")) as decoder:
        stored = Thumbnails(32, 24)(decoder.first)
    np.testing.assert_array_equal(upright, np.rot90(stored))


def test_hdr_is_tone_mapped():
    video = av.VideoFrame(64, 48, "gray")
    plane_views(video)[0][...] = 128
    hdr = Thumbnails(32, 24)(frame_of(video, Colour(full_range=True, transfer=Transfer("PQ"))))
    plain = Thumbnails(32, 24)(frame_of(video))
    np.testing.assert_array_equal(hdr, Transfer("PQ").lookup_table[plain])
    assert (hdr > plain).all()
