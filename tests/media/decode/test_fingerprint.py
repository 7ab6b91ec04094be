"""A frame's fingerprint changes with any of its samples."""

from __future__ import annotations

import av
import numpy as np

from tests.support.clips import pattern
from vidrestore.media.decode.fingerprint import FrameFingerprint
from vidrestore.media.frames.pixel_format import plane_views


def frame(index: int) -> av.VideoFrame:
    video = pattern(index, 64, 48, "yuv420p10le")
    video.pts = 40 * index
    return video


def test_the_same_frame_has_the_same_fingerprint():
    assert FrameFingerprint.of(3, frame(3)) == FrameFingerprint.of(3, frame(3))


def test_one_sample_changes_the_digest():
    changed = frame(3)
    plane_views(changed)[2][-1, -1] ^= 1
    before, after = FrameFingerprint.of(3, frame(3)), FrameFingerprint.of(3, changed)
    assert (before.index, before.pts) == (after.index, after.pts) == (3, 120)
    assert before.digest != after.digest


def test_padding_does_not_count():
    """Rows of a narrow frame are padded in memory; only their samples are hashed."""
    one, other = av.VideoFrame(50, 4, "gray"), av.VideoFrame(50, 4, "gray")
    for video, padding in ((one, 0), (other, 255)):
        rows = np.frombuffer(video.planes[0], np.uint8).reshape(-1, video.planes[0].line_size)
        rows[...] = padding
        plane_views(video)[0][...] = 7
        video.pts = 0
    assert FrameFingerprint.of(0, one) == FrameFingerprint.of(0, other)
