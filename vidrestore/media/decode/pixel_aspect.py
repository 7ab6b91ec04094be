"""The aspect ratio of pixels, which may change within a video: broadcasts and old tapes switch between 4:3
and 16:9."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

#: The widest pixels of a picture: those of a film of 2.39:1 on 4:3 are 1.8 times as wide as they are high.
_WIDEST = 3
#: Frames that a decoder may hold back at most: H.264 and HEVC refer to 16 pictures.
_LONGEST_DELAY = 16


class PixelAspects:
    """The sample aspect ratio of each frame of a stream: PyAV tells only that of its decoder."""

    def __init__(self, stream: VideoStream, decoder: VideoCodecContext) -> None:
        """``decoder`` is about to decode the frames of ``stream``."""
        self._decoder = decoder
        #: What the stream states, or its container, which overrides the stream.
        self._stated = stream.sample_aspect_ratio
        self._first = self._now = decoder.sample_aspect_ratio
        self._late = 0  #: frames since the decoder has another ratio

    def follow(self, frame: av.VideoFrame) -> None:
        """Note the ratio of ``frame``, which the decoder has just delivered.

        A decoder has a new ratio as soon as it has read it, which is before it delivers the frames that it
        holds back. The new one begins with a frame that does not depend on those before.
        """
        ratio = self._decoder.sample_aspect_ratio or self._now
        if not self._first:
            self._first = self._now = ratio
        if ratio != self._now:
            self._late += 1
            if frame.key_frame or self._late > _LONGEST_DELAY:
                self._now, self._late = ratio, 0
        else:
            self._late = 0
        if self._now and self._now != self._first:
            # What is made of the frame keeps it. PyAV forgets an object with the first frame that had it, so
            # each gets its own.
            frame.opaque = Fraction(self._now)

    def of(self, frame: av.VideoFrame) -> Fraction | None:
        """The ratio of a frame of this stream, also of one that was deinterlaced or converted since; None if
        it is unknown."""
        return cast(Fraction | None, frame.opaque) or self._stated


def pixel_aspect(ratio: Fraction | None) -> float:
    """A sample aspect ratio as a number; 1 if it is unknown, or of no picture that was ever made."""
    return float(ratio) if ratio and 1 / _WIDEST <= ratio <= _WIDEST else 1.0
