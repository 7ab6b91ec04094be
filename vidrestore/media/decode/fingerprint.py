"""A place in a video that can be found again, and told from any other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import av
import numpy as np

from ..frames.pixel_format import plane_views


@dataclass(frozen=True, slots=True)
class FrameFingerprint:
    """One frame of a decoder."""

    index: int  #: counted from 0, the first one that is wanted
    pts: int  #: in ticks of the stream
    digest: str  #: of all its samples

    @classmethod
    def of(cls, index: int, video: av.VideoFrame) -> FrameFingerprint:
        """The mark of a frame in a planar format."""
        digest = hashlib.blake2b(digest_size=16)
        for plane in plane_views(video):
            digest.update(np.ascontiguousarray(plane))
        return cls(index, video.pts, digest.hexdigest())
