"""A frame's fingerprint, by which a resumed run recognises the frame where an earlier one stopped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import av
import numpy as np

from ..frames.pixel_format import plane_views


@dataclass(frozen=True, slots=True)
class FrameFingerprint:
    """Identifies one frame of a video by its number, its timestamp and its samples."""

    index: int  #: 0 is the first frame of the span
    pts: int  #: in ticks of the stream
    digest: str  #: BLAKE2b of all samples

    @classmethod
    def of(cls, index: int, video: av.VideoFrame) -> FrameFingerprint:
        """The fingerprint of a decoded frame in a planar format."""
        assert video.pts is not None
        digest = hashlib.blake2b(digest_size=16)
        for plane in plane_views(video):
            digest.update(np.ascontiguousarray(plane).data)
        return cls(index, video.pts, digest.hexdigest())
